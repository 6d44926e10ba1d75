"""Documents -> chunks of NDJSON lines, cut by uncompressed bytes and by count, and chunks -> bulk request bodies."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import orjson

from shared.ship.document import Document

# Measured by tests/speed/bulk.py: level 1 packs 430 MB/s to a 13th, level 6 176 MB/s to a 19th, level 9 44 MB/s to a 20th.
GZIP_LEVEL = 1
GZIP_WINDOW = 31  # zlib's way of asking for a gzip header


class Line(NamedTuple):
    """A document and its action line: `{"create":{"_index":…,"_id":…}}`, without the newline."""

    document: Document
    action: bytes

    @property
    def size(self) -> int:
        """Bytes that this document takes in a bulk body, both newlines included."""
        return len(self.action) + len(self.document.source) + 2 - self.document.gone


@lru_cache(maxsize=256)
def action_start(index: str) -> bytes:
    """The part of an action line that is the same for every document of one data stream."""
    return b'{"create":{"_index":' + orjson.dumps(index) + b',"_id":'


def line(document: Document) -> Line:
    """A document with its action line: `create`, the only operation that a data stream takes; for a latest view `index` or `delete` under its version."""
    if document.version is not None:
        action = {"_index": document.index, "_id": document.id, "version": document.version, "version_type": "external"}
        return Line(document, orjson.dumps({"delete" if document.gone else "index": action}))
    return Line(document, action_start(document.index) + orjson.dumps(document.id) + b"}}")


def chunks(documents: Iterable[Document], max_documents: int, max_bytes: Callable[[], int]) -> Iterator[list[Line]]:
    """Cut a stream of documents, lazily and in order, into chunks of at most so many documents and bytes.

    The limit is on uncompressed bytes, as Elasticsearch's `http.max_content_length` is (lessons, finding 14), and is
    asked for each document because it may shrink on the way. A single document above it is a chunk of its own.
    """
    chunk: list[Line] = []
    size = 0
    for document in documents:
        item = line(document)
        more = item.size
        if chunk and (len(chunk) >= max_documents or size + more > max_bytes()):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += more
    if chunk:
        yield chunk


def size_of(chunk: Sequence[Line]) -> int:
    """Bytes of a chunk's bulk body before compression."""
    return sum(item.size for item in chunk)


def body(chunk: Sequence[Line]) -> bytes:
    """The bulk request body of a chunk: action and document lines in turn (what is taken out has the first alone), each ended by a newline."""
    parts: list[bytes] = []
    for document, action in chunk:
        parts.append(action)
        if not document.gone:
            parts.append(document.source)
    parts.append(b"")
    return b"\n".join(parts)


def gzipped(data: bytes) -> bytes:
    """`data` as a gzip stream, at the fast level."""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
    return packer.compress(data) + packer.flush()
