"""Records from files or standard input -> the documents they become, by exactly the code that the functions run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated

import orjson
import typer

from shared.errors import Misconfigured, Reject
from shared.flows import Message, documents, normaliser
from shared.normalise.api import Context
from shared.normalise.filtering import record_filter
from shared.normalise.normaliser import Normaliser
from shared.poll_settings import PollSettings
from shared.report import Report
from shared.rows import RowRecord, row_documents
from shared.settings import Settings
from shared.ship.dead_letter import DeadLetter
from shared.ship.document import Document

app = typer.Typer(add_completion=False)


class Source(StrEnum):
    """What a line of input is."""

    STREAM = "stream"
    ALERT = "alert"
    INCIDENT = "incident"
    LOG = "log"
    VULNERABILITY = "vulnerability"
    ASSESSMENT = "assessment"


@app.command()
def normalize(
    files: Annotated[list[Path] | None, typer.Argument(help="Files to read; standard input if none, or for -.")] = None,
    source: Annotated[
        Source, typer.Option(help="stream: a line is one Event Hub body or one record. Else: one object of that API.")
    ] = Source.STREAM,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything was rejected.")] = False,
) -> None:
    """Write a line for each document, in the order of the input: {"_op", "_index", "_id", "_source"}.

    Rejected input goes to standard error, a JSON line each with the reason, and a summary last. NAMESPACE, RECORD_FILTER and the
    PRESERVE_ settings are read from the environment, as in the functions.
    """
    try:
        settings, wanted = Settings.read(os.environ, whole=False), evidence()
    except Misconfigured as error:
        typer.echo(error, err=True)
        raise typer.Exit(2) from None
    report, letters = Report(source.value), list[DeadLetter]()
    output, errors = sys.stdout.buffer, sys.stderr.buffer
    lines = messages(files or [Path("-")])
    if source is Source.STREAM:
        made = documents(lines, normaliser(settings), record_filter(settings.record_filter), report, letters)
    else:
        made = of_objects(lines, source.value, normaliser(settings), wanted, report, letters)
    try:
        for document in made:
            tell(letters, report, errors)
            output.write(line_of(document))
            report.count("indexed", document.table)
        tell(letters, report, errors)
        output.flush()
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except OSError as error:
        typer.echo(f"{error.filename}: {error.strerror}", err=True)
        raise typer.Exit(2) from None
    report.check()
    errors.write(orjson.dumps({"summary": summary(report)}) + b"\n")
    if strict and report.total("dead_lettered"):
        raise typer.Exit(1)


def line_of(document: Document) -> bytes:
    """A document as a line: operation, data stream, id and the document itself."""
    return (
        b'{"_op":"create","_index":'
        + orjson.dumps(document.index)
        + b',"_id":'
        + orjson.dumps(document.id)
        + b',"_source":'
        + document.source
        + b"}\n"
    )


def evidence() -> bool:
    """Whether each item of an alert's evidence becomes a document too, as the functions have it set."""
    return bool(PollSettings.read_one("evidence_documents", os.environ))


def of_objects(
    lines: Iterator[Message],
    source: str,
    made_by: Normaliser,
    evidence: bool,
    report: Report,
    letters: list[DeadLetter],
) -> Iterator[Document]:
    """The documents of lines that are API objects each; what is none goes to `letters`. The tenant is the object's own."""
    for line in lines:
        report.messages += 1
        try:
            value = orjson.loads(line.body)
        except orjson.JSONDecodeError as error:
            report.received[source] += 1
            reject = Reject("not_json", str(error))
            letters.append(
                DeadLetter.of(RowRecord(line.body), code=reject.code, reason=reject.reason, source=source, table=source)
            )
            continue
        tenant = value.get("tenantId") if isinstance(value, dict) else None
        context = Context(tenant=tenant if isinstance(tenant, str) else "", evidence=evidence)
        yield from row_documents([value], source, made_by, context, report, letters)


def messages(files: list[Path]) -> Iterator[Message]:
    """Every line that is not blank as a message of its own."""
    for path in files:
        stream = sys.stdin.buffer if str(path) == "-" else path.open("rb")
        with stream:
            for line in stream:
                body = line.rstrip(b"\r\n")
                if body.strip():
                    yield Message(body)


def tell(letters: list[DeadLetter], report: Report, errors: IO[bytes]) -> None:
    """Write what was rejected since the last time, and book it."""
    for letter in letters:
        errors.write(letter.line())
        report.count("dead_lettered", letter.table)
    letters.clear()


def summary(report: Report) -> dict[str, object]:
    """The report without what only shipping has; `documents` were written, nothing was indexed."""
    told = report.as_dict()
    told["documents"] = told.pop("indexed")
    for name in ("duplicate", "held", "failure_store", "requests", "retries", "bytes_sent", "elasticsearch_seconds"):
        del told[name]
    return told
