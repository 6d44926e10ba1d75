"""A severity's name -> event.severity, one number scale for all streams.

The scale is that of Elastic's detection engine, to which its integrations moved (m365_defender changelog 3.5.0:
"normalised across EDRs"): low 21, medium 47, high 73, critical 99. Informational is not on it; it gets 10, below low
and above nothing. Names that say nothing (`UnSpecified`, `Unknown`, `unknownFutureValue`) give no number, rather than
one that sorts somewhere.
"""

from __future__ import annotations

# fmt: off
_SCALE: dict[str, int] = {
    "informational": 10,  "information": 10,  "info": 10,  "none": 10,
    "low":           21,
    "medium":        47,  "moderate":    47,
    "high":          73,
    "critical":      99,  "veryhigh":    99,
}
# fmt: on


def severity(name: str | None) -> int | None:
    """`Informational`, `Low`, `Medium`, `High`, `Critical`, any case -> 10, 21, 47, 73, 99; None for all else.

    >>> severity("Medium"), severity("informational"), severity("UnSpecified")
    (47, 10, None)
    """
    if not name:
        return None
    return _SCALE.get(name) or _SCALE.get(name.strip().lower())
