"""Cursors in blobs: one reader at a time by a lease, no lost update by the ETag.

A blob store that can not be asked raises Retry or Misconfigured. `take` gives `Taken`, which writes; a lease that is lost (the process was
paused longer than it lasts, or somebody broke it) shows at the next `save` or `check` as `Lost`: the run stops, and nothing is harmed,
because whoever has the lease now began at the last saved cursor.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from shared.blobs import blob_errors, open_container
from shared.cursors.cursor import Corrupt, Cursor
from shared.errors import ForwarderError
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, BlobLeaseClient, ContainerClient

LEASE_SECONDS = 60  # 15 to 60; a killed process keeps others out for so long
RENEW_SECONDS = 20.0
ASIDE = "corrupt/"  # where a blob goes that is no cursor

log = logging.getLogger("defender.cursors")


class Busy(ForwarderError):
    """Somebody else reads this source right now."""


class Lost(ForwarderError):
    """The lease is no longer ours: stop, and save nothing."""


class Taken(Protocol):
    """A cursor that is ours for now."""

    cursor: Cursor
    put_aside: str | None  # why an unreadable cursor was put aside and this one is new

    def save(self, cursor: Cursor) -> None:
        """Write the cursor; raises Lost where it is no longer ours."""

    def check(self) -> None:
        """Raise Lost where the cursor is no longer ours."""


class Cursors(Protocol):
    """Where cursors are kept: blobs, or a dict in tests."""

    def take(self, fresh: Cursor) -> Any:
        """A context manager that gives the stored cursor, or `fresh` where there is none; raises Busy where it is taken."""


class BlobTaken:
    """A cursor's blob under our lease, renewed by a thread of its own."""

    def __init__(self, store: BlobCursors, blob: BlobClient, lease: BlobLeaseClient, cursor: Cursor, etag: str) -> None:
        self.cursor = cursor
        self.put_aside: str | None = None
        self._store = store
        self._blob = blob
        self._lease = lease
        self._etag = etag
        self._gone = threading.Event()
        self._done = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="lease", daemon=True)

    def save(self, cursor: Cursor) -> None:
        """Write the cursor under lease and ETag."""
        from azure.core import MatchConditions
        from azure.core.exceptions import HttpResponseError

        self.check()
        stamped = cursor.moved(updated=self._store.now())
        with blob_errors(self._store.setting):
            try:
                done = self._blob.upload_blob(
                    stamped.written(),
                    overwrite=True,
                    lease=self._lease,
                    etag=self._etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except HttpResponseError as error:
                if error.status_code not in (404, 409, 412):
                    raise
                self._gone.set()
                raise Lost(
                    f"cursor {cursor.name} was taken or written by somebody else ({error.status_code})."
                ) from None
        self._etag = done["etag"]
        self.cursor = stamped

    def check(self) -> None:
        """Raise Lost once the lease could not be renewed."""
        if self._gone.is_set():
            raise Lost(f"the lease of cursor {self.cursor.name} was lost.")

    def start(self) -> None:
        """Begin to renew."""
        self._keeper.start()

    def release(self) -> None:
        """Give the lease back; what can not be given back runs out by itself."""
        self._done.set()
        if self._keeper.is_alive():
            self._keeper.join()
        try:
            self._lease.release()  # also where the cursor was lost: it may be for its ETag, and the lease still be ours
        except Exception as error:  # noqa: BLE001  nothing depends on it
            if not self._gone.is_set():
                log.warning("The lease of %s was not released: %s", self.cursor.name, type(error).__name__)

    def _keep(self) -> None:
        from azure.core.exceptions import HttpResponseError

        failed = 0
        while not self._done.wait(self._store.renew_seconds):
            try:
                self._lease.renew()
                failed = 0
            except HttpResponseError as error:
                if error.status_code in (404, 409, 412):
                    self._gone.set()
                    return
                failed += 1
            except Exception:  # noqa: BLE001  the network; the lease lasts for two more tries
                failed += 1
            if failed * self._store.renew_seconds >= LEASE_SECONDS - self._store.renew_seconds:
                self._gone.set()
                return


class BlobCursors:
    """The cursors of one container."""

    def __init__(
        self, container: Callable[[], ContainerClient], setting: str, *, renew_seconds: float = RENEW_SECONDS
    ) -> None:
        """`container` opens it at the first need; `setting` is named when it can not be used."""
        self._open = container
        self._container: ContainerClient | None = None
        self.setting = setting
        self.renew_seconds = renew_seconds

    @classmethod
    def open(cls, settings: Settings, container: str) -> BlobCursors:
        """The cursors that the settings point at; nothing is contacted before the first use."""
        return cls(lambda: open_container(settings, container), settings.storage)

    @staticmethod
    def now() -> str:
        """The time of a write."""
        return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def container(self) -> ContainerClient:
        """The container, opened (and made where missing) once; raises Retry or Misconfigured."""
        if self._container is None:
            self._container = self._open()
        return self._container

    @contextmanager
    def take(self, fresh: Cursor) -> Iterator[BlobTaken]:
        """The cursor of this name under a lease. A blob that is no cursor is put aside, and `fresh` takes its place."""
        blob = self.container.get_blob_client(fresh.name)
        with blob_errors(self.setting):
            lease = self._lease(blob, fresh)
        taken: BlobTaken | None = None
        try:
            with blob_errors(self.setting):
                stream = blob.download_blob(lease=lease)
                data, etag = stream.readall(), stream.properties.etag
            try:
                cursor, why = Cursor.parse(data), None
            except Corrupt as error:
                cursor, why = fresh, str(error)
                self._put_aside(fresh.name, data)
            taken = BlobTaken(self, blob, lease, cursor, etag)
            taken.put_aside = why
            if why is not None:
                log.error("Cursor %s %s: it was put aside, and the source is read from its lookback.", fresh.name, why)
                taken.save(fresh)
            taken.start()
            yield taken
        finally:
            if taken is not None:
                taken.release()
            else:
                with blob_errors(self.setting):
                    lease.release()

    def _lease(self, blob: BlobClient, fresh: Cursor) -> BlobLeaseClient:
        from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

        for _ in range(3):  # missing, then made by somebody else at the same moment, then there
            try:
                return blob.acquire_lease(LEASE_SECONDS)
            except ResourceNotFoundError:
                try:
                    blob.upload_blob(fresh.moved(updated=self.now()).written(), overwrite=False)
                except (ResourceExistsError, HttpResponseError) as error:
                    if getattr(error, "status_code", None) == 404:
                        self._container = None  # it went while we had it open: the next run makes it again
                    if getattr(error, "status_code", None) not in (409, 412):
                        raise
            except HttpResponseError as error:
                if error.status_code == 409:
                    break
                raise
        raise Busy(f"{fresh.name} is being read by somebody else.")

    def _put_aside(self, name: str, data: bytes) -> None:
        with blob_errors(self.setting):
            self.container.upload_blob(f"{ASIDE}{name}.{self.now().replace(':', '')}", data, overwrite=True)

    def list(self, prefix: str = "") -> Iterator[tuple[str, Cursor | Corrupt, bool]]:
        """(blob's name, cursor or why it is none, whether it is being read) of every cursor, sorted by name."""
        with blob_errors(self.setting):
            for blob in self.container.list_blobs(name_starts_with=prefix or None):
                if blob.name.endswith(".json") and not blob.name.startswith(ASIDE):
                    data = self.container.download_blob(blob.name).readall()
                    yield blob.name, parsed(data), blob.lease.state == "leased"

    def reset(self, name: str) -> bool:
        """Remove a cursor, so that its source begins at its lookback; False where there is none. Raises Busy while it is being read."""
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

        with blob_errors(self.setting):
            try:
                self.container.delete_blob(name)
            except ResourceNotFoundError:
                return False
            except HttpResponseError as error:
                if error.status_code == 412:
                    raise Busy(f"{name} is being read.") from None
                raise
        return True


def parsed(data: bytes) -> Cursor | Corrupt:
    """A cursor, or why it is none."""
    try:
        return Cursor.parse(data)
    except Corrupt as error:
        return error
