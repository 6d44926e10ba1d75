"""What the doctor found in one place, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

type State = Literal["ok", "warning", "failed", "not checked"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. What is `failed` or a `warning` has a sentence in `mend`; `data` are the figures behind it, JSON."""

    name: str
    state: State
    detail: str
    mend: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def ok(name: str, detail: str, **data: Any) -> Check:
    """All is well."""
    return Check(name, "ok", detail, data=data)


def failed(name: str, detail: str, mend: str, **data: Any) -> Check:
    """Something is to be mended."""
    return Check(name, "failed", detail, mend, data)


def warning(name: str, detail: str, mend: str, **data: Any) -> Check:
    """It works, and may not always."""
    return Check(name, "warning", detail, mend, data)


def unchecked(name: str, detail: str) -> Check:
    """It could not be looked at, which is no fault; `detail` says what it would take."""
    return Check(name, "not checked", detail)


def rough(seconds: float) -> str:
    """A span in its largest fitting unit."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
