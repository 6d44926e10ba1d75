"""A run's plan and progress in blobs: `<run>/run.json`, `<run>/plan.ndjson`, `<run>/cancelled`, and a mark for each portion that is through.

A mark, `<run>/done/<thousand>/<number>`, is empty; its metadata are the portion's counts. So progress is a listing, marks of other instances
can not be lost, and a portion that comes twice has one mark all the same.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from shared.backfill.portion import Portion
from shared.blobs import blob_errors, open_container
from shared.errors import Misconfigured
from shared.report import OUTCOMES, Report
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

GROUP = 1_000  # portions whose marks are listed together
UNREAD = "unread"  # pieces that a dead letter points at, because they could not be read
COUNTS = ("received", *OUTCOMES, UNREAD)


def new_run(now: datetime) -> str:
    """A run's name; later ones sort behind earlier ones."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"


@dataclass(slots=True)
class Tally:
    """What is through: the counts of all marks, the numbers of portions, and those of them of which something was not read."""

    counts: Counter[str] = field(default_factory=Counter)
    done: set[int] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)


class Runs:
    """The runs in one container; safe to use from several threads."""

    def __init__(self, container: ContainerClient, setting: str) -> None:
        """`setting` is named where the container can not be used."""
        self._container = container
        self._setting = setting
        self._full: dict[str, dict[int, Tally]] = {}  # run -> group -> what a group holds of which no mark is missing

    @classmethod
    def open(cls, settings: Settings, container: str, environment: Mapping[str, str] | None = None) -> Runs:
        """The runs in a container of STORAGE, which is made where missing. Raises Retry or Misconfigured."""
        return cls(open_container(settings, container, environment), settings.storage)

    def begin(self, run: str, facts: Mapping[str, Any], plan: Sequence[Portion]) -> None:
        """Write a run's plan, then what it is about: a run without the latter is none."""
        with blob_errors(self._setting):
            text = "".join(f"{portion.text()}\n" for portion in plan).encode()
            self._container.upload_blob(f"{run}/plan.ndjson", text, overwrite=True)
            self._container.upload_blob(f"{run}/run.json", orjson.dumps(facts), overwrite=True)

    def names(self) -> list[str]:
        """The runs, oldest first; what was left half begun, or half deleted, is none."""
        with blob_errors(self._setting):
            found: Any = self._container.walk_blobs(delimiter="/")
            names = sorted(item.name.rstrip("/") for item in found)
            return [name for name in names if self._container.get_blob_client(f"{name}/run.json").exists()]

    def facts(self, run: str) -> dict[str, Any]:
        """What a run is about. Raises Misconfigured where there is none of that name."""
        from azure.core.exceptions import ResourceNotFoundError

        with blob_errors(self._setting):
            try:
                result: dict[str, Any] = orjson.loads(self._container.download_blob(f"{run}/run.json").readall())
            except ResourceNotFoundError:
                raise Misconfigured("BACKFILL_CONTAINER", f"there is no run {run!r} in it.") from None
        return result

    def plan(self, run: str) -> Iterator[Portion]:
        """A run's portions, by number."""
        with blob_errors(self._setting):
            text = self._container.download_blob(f"{run}/plan.ndjson").readall()
        return (Portion.parse(line) for line in text.splitlines())

    def cancel(self, run: str) -> None:
        """From now on its messages are dropped."""
        with blob_errors(self._setting):
            self._container.upload_blob(f"{run}/cancelled", b"", overwrite=True)

    def cancelled(self, run: str) -> bool:
        """Whether its messages are to be dropped."""
        with blob_errors(self._setting):
            return bool(self._container.get_blob_client(f"{run}/cancelled").exists())

    def through(self, portion: Portion) -> bool:
        """Whether the portion has its mark."""
        with blob_errors(self._setting):
            return bool(self._container.get_blob_client(mark_of(portion)).exists())

    def mark(self, portion: Portion, report: Report, unread: int) -> None:
        """Set the portion's mark: all of it is accounted for."""
        facts = {"received": str(report.received.total()), UNREAD: str(unread)}
        facts |= {str(name): str(report.total(name)) for name in OUTCOMES}
        with blob_errors(self._setting):
            self._container.upload_blob(mark_of(portion), b"", metadata=facts, overwrite=True)

    def tally(self, run: str, portions: int) -> Tally:
        """What is through of so many portions; only groups that are not complete are listed again."""
        full, result = self._full.setdefault(run, {}), Tally()
        for group in range((portions + GROUP - 1) // GROUP):
            part = full.get(group) or self._group(run, group)
            if len(part.done) == min(GROUP, portions - group * GROUP):
                full[group] = part
            result.counts.update(part.counts)
            result.done |= part.done
            result.unread |= part.unread
        return result

    def _group(self, run: str, group: int) -> Tally:
        """One listing."""
        part = Tally()
        with blob_errors(self._setting):
            for blob in self._container.list_blobs(name_starts_with=f"{run}/done/{group:06}/", include=["metadata"]):
                number, facts = int(blob.name.rpartition("/")[2]), blob.metadata or {}
                part.done.add(number)
                part.counts.update({name: int(facts.get(name, 0)) for name in COUNTS})
                if facts.get(UNREAD, "0") != "0":
                    part.unread.add(number)
        return part

    def reopen(self, run: str, portions: Sequence[Portion]) -> None:
        """Take away these portions' marks and the run's cancellation, so that the portions may be sent again."""
        from azure.core.exceptions import ResourceNotFoundError

        self._full.pop(run, None)
        with blob_errors(self._setting):
            for name in (f"{run}/cancelled", *map(mark_of, portions)):
                try:
                    self._container.delete_blob(name)
                except ResourceNotFoundError:
                    continue


def mark_of(portion: Portion) -> str:
    """The name of a portion's mark."""
    return f"{portion.run}/done/{portion.number // GROUP:06}/{portion.number:09}"
