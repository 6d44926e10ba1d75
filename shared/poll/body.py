"""An API's answer -> its bytes, bounded and complete, -> the rows in it, one at a time.

The body is spooled (in memory up to a few MB, then in a file) before it is read, so that a connection that breaks costs a retry and never
half a page; small bodies are parsed at once, large ones as a stream, so that memory does not grow with them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Protocol

import orjson

from shared.errors import Reject

CHUNK = 65_536
IN_MEMORY = 8_000_000  # bytes of a body that is parsed at once: a page of 1,000 alerts has about 6 MB
SHORT = 10_000  # bytes of a page that is looked at before it is read
MOST_RATIO = 300  # to one: JSON packs to a 30th as a rule; more, of a body of some size, is a bomb
MOST_SMALL = 16_000_000  # bytes unpacked below which the ratio does not count


class Broken(ValueError):
    """A body that is not what was asked for: not JSON, cut off, without rows."""


class Raw(Protocol):
    """Where a body comes from: urllib3's response, or any file."""

    def read(self, size: int, /) -> bytes:
        """The next bytes as they come over the wire; b"" at the end."""


def unpacked(raw: Raw, encoding: str, most: int | None) -> Iterator[bytes]:
    """A body's bytes, gunzipped where `encoding` says gzip or deflate, piece by piece.

    Raises Reject (`too_large`) above `most` bytes, or where it unpacks to so much more than came that it can only be a bomb, and Broken
    where it is cut off or no gzip.
    """
    packer = None
    if encoding in ("gzip", "x-gzip", "deflate"):
        packer = zlib.decompressobj(zlib.MAX_WBITS | 32)
    elif encoding not in ("", "identity"):
        raise Broken(f"content-encoding {encoding[:40]} was not asked for")
    came = total = 0
    while piece := raw.read(CHUNK):
        came += len(piece)
        while piece:
            if packer is None:
                out, piece = piece, b""
            else:
                try:
                    out = packer.decompress(piece, CHUNK * 16)
                except zlib.error as error:
                    raise Broken(f"is no gzip: {error}") from None
                piece = packer.unconsumed_tail
                if packer.eof and packer.unused_data:  # a further member
                    piece, packer = packer.unused_data, zlib.decompressobj(zlib.MAX_WBITS | 32)
            total += len(out)
            if most is not None and total > most:
                raise Reject("too_large", f"an answer of more than {most} bytes was refused (POLL_MAX_MEGABYTES)")
            if total > MOST_SMALL and total > came * MOST_RATIO:
                raise Reject(
                    "too_large", f"an answer that unpacks to more than {MOST_RATIO} times its size was refused"
                )
            if out:
                yield out
    if packer is not None and came and not packer.eof:
        raise Broken("is cut off")


@dataclass(slots=True)
class Body:
    """A complete body, spooled."""

    file: IO[bytes]
    size: int

    @classmethod
    def of(cls, pieces: Iterator[bytes]) -> Body:
        """Spool the pieces."""
        file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  closed by whoever reads it
        size = 0
        try:
            for piece in pieces:
                size += file.write(piece)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return cls(file, size)

    def json(self) -> Any:
        """The whole body as JSON; raises Broken. The file is closed."""
        with self.file:
            try:
                return orjson.loads(self.file.read())
            except orjson.JSONDecodeError as error:
                raise Broken(f"is not JSON: {error}") from None


class Rows:
    """The objects of a page's list, one at a time; `rest` are the other keys of its root (links among them), whole at the end."""

    def __init__(self, body: Body, key: str = "value") -> None:
        self._body = body
        self._key = key
        self._list: list[Any] | None = None
        self.rest: dict[str, Any] = {}
        self.count = 0  # rows that came

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Every member of the list, in order. Raises Broken where there is no list, or a member is no object."""
        found = self._at_once() if self._body.size <= IN_MEMORY else self._as_a_stream()
        for row in found:
            if row.__class__ is not dict:
                raise Broken(f"{self._key!r} holds something that is no object")
            self.count += 1
            yield row

    def empty(self) -> bool:
        """Whether a short page has no rows; a long one is not looked at. Raises Broken."""
        return self._body.size <= SHORT and not self._at_once()

    def none(self) -> bool:
        """Whether there is no row at all, read to the end. Raises Broken."""
        return not sum(1 for _ in self)

    def _at_once(self) -> list[Any]:
        if self._list is None:
            root = self._body.json()
            rows = root.pop(self._key, None) if isinstance(root, dict) else None
            if not isinstance(rows, list):
                raise Broken(f"has no list {self._key!r}")
            self._list, self.rest = rows, root
        return self._list

    def _as_a_stream(self) -> Iterator[Any]:
        import ijson
        from ijson.common import IncompleteJSONError, JSONError, ObjectBuilder

        seen = False
        builder: Any = None  # of the row, or of the root's other value, that is being read
        ends = ""
        with self._body.file as file:
            try:
                for prefix, event, value in ijson.parse(file, use_float=True, buf_size=CHUNK):
                    if builder is not None:
                        builder.event(event, value)
                        if prefix == ends and event in ("end_map", "end_array"):
                            if ends == f"{self._key}.item":
                                yield builder.value
                            else:
                                self.rest[ends] = builder.value
                            builder = None
                        continue
                    if prefix == self._key:
                        seen = seen or event == "start_array"
                    elif (
                        prefix == f"{self._key}.item" or ("." not in prefix and prefix) or prefix.startswith("@odata.")
                    ):
                        if event in ("start_map", "start_array"):
                            builder, ends = ObjectBuilder(), prefix
                            builder.event(event, value)
                        elif prefix == f"{self._key}.item":
                            yield value
                        elif event not in ("map_key", "end_map", "end_array"):
                            self.rest[prefix] = value
            except (IncompleteJSONError, JSONError, UnicodeDecodeError) as error:
                raise Broken(f"is not JSON: {str(error)[:200]}") from None
        if not seen:
            raise Broken(f"has no list {self._key!r}")
