"""The storage account: may we write, lease and delete there, which function apps use it, and what do the cursors say."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from cli.doctor.check import Check, failed, ok, rough, unchecked, warning
from cli.doctor.checkpoints import HOST_STORAGE, read_hosts
from shared.blobs import blob_errors, open_container
from shared.cursors.cursor import Corrupt
from shared.cursors.store import BlobCursors
from shared.errors import ForwarderError
from shared.poll_settings import PollSettings
from shared.settings import Settings

ROLE = "Look at {} and at the identity's role Storage Blob Data Owner on the account, and at its firewall."
LEASE_SECONDS = 15  # the shortest that there is


def of_storage(settings: Settings, polled: PollSettings, *, stored: bool) -> Iterator[Check]:
    """Rights, hosts, cursors; `stored`: whether the blob store answers at all."""
    away = "the blob store can not be used, as the check before says."
    yield of_rights(settings) if stored else unchecked("storage and lease", away)
    yield of_hosts()
    if polled.sources:
        yield of_cursors(settings, polled) if stored else unchecked("cursors", away)


def of_rights(settings: Settings) -> Check:
    """A blob written, leased and deleted in the state container: what dead letters and cursors need. With the rights of whoever runs this."""
    name, blob = "storage and lease", f"doctor-{secrets.token_hex(4)}"
    try:
        with open_container(settings, settings.state_container) as container, blob_errors(settings.storage):
            client = container.upload_blob(blob, b"", overwrite=True)
            lease = client.acquire_lease(LEASE_SECONDS)
            client.delete_blob(lease=lease)
    except ForwarderError as error:
        return failed(name, str(error), ROLE.format(settings.storage))
    return ok(name, f"a blob in {settings.state_container} was written, leased and deleted.")


def of_hosts() -> Check:
    """Which function apps have run with the host's storage account: one, if checkpoints and timers are to be its own."""
    name = "function app"
    try:
        hosts = read_hosts()
    except ForwarderError as error:
        return failed(name, str(error), ROLE.format(HOST_STORAGE))
    running = sorted(host for host, runs in hosts.items() if runs)
    told = f"{', '.join(sorted(hosts))} ({'running: ' + ', '.join(running) if running else 'none runs right now'})"
    if not hosts:
        return unchecked(name, f"no function app has run with the account of {HOST_STORAGE} yet.")
    if len(running) > 1:
        return warning(
            name,
            f"several share the storage account: {told}.",
            f"Give each function app an account of its own ({HOST_STORAGE}); two that read the same hub take partitions from each other.",
        )
    return ok(name, f"{told}.")


def of_cursors(settings: Settings, polled: PollSettings) -> Check:
    """Whether every cursor can be read, and how far the one that is furthest behind has come."""
    name, now = "cursors", datetime.now(UTC)
    try:
        found = list(BlobCursors.open(settings, polled.cursor_container).list())
    except ForwarderError as error:
        return failed(name, str(error), ROLE.format(settings.storage))
    corrupt = [f"{blob} {cursor}" for blob, cursor, _ in found if isinstance(cursor, Corrupt)]
    if corrupt:
        return failed(name, f"{'; '.join(corrupt)}.", "Run python -m cli cursors reset NAME: the source begins at its lookback.")  # fmt: skip
    ages = {}
    for blob, cursor, _ in found:
        try:
            updated = datetime.fromisoformat(getattr(cursor, "updated", None) or "")
        except ValueError:
            continue
        ages[blob] = (now - updated).total_seconds()
    if not ages:
        return ok(name, "none yet.")
    oldest = max(ages, key=lambda blob: ages[blob])
    leased = sum(busy for _, _, busy in found)
    return ok(name, f"{len(found)}, {leased} being read; the longest unchanged is {oldest}, written {rough(ages[oldest])} ago.")  # fmt: skip
