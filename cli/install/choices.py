"""What the person who installs decides: settings of the environment, and options of the command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Misconfigured
from shared.setting_types import FromEnvironment, names, setting, url, whole


def retentions(value: str) -> tuple[tuple[str, int | None], ...]:
    """`dataset=days` with commas between them, days a whole number or `forever`: `m365_defender.event=365`."""
    result: list[tuple[str, int | None]] = []
    for part in names(value):
        match = re.fullmatch(r"([a-z0-9_.]+)\s*=\s*(?:([1-9]\d{0,4})d?|(forever))", part)
        if match is None:
            raise ValueError("is not dataset=days (or dataset=forever) with commas between")
        result.append((match[1], int(match[2]) if match[2] else None))
    return tuple(result)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallSettings(FromEnvironment):
    """What only `python -m cli install` and `uninstall` read, beside the settings ELASTICSEARCH_… and NAMESPACE of the app."""

    retention_days: int | None = setting(
        "RETENTION_DAYS",
        "Days that documents are kept, at least. Not set: for ever. Data sets with a number of their own (assessments: 7) keep it.",
        whole(1, 36_500),
    )
    retention: tuple[tuple[str, int | None], ...] = setting(
        "RETENTION",
        "Days for single data sets, before RETENTION_DAYS and their own numbers.",
        retentions,
        default=(),
        example="m365_defender.event=365, microsoft_defender_cloud.assessment=30",
    )
    kibana_url: str | None = setting(
        "KIBANA_URL",
        "Address of Kibana, with its base path if it has one; dashboards are imported with the credentials for Elasticsearch. "
        "Not set: no dashboards.",
        url,
        example="https://kibana.example.com:5601",
    )
    kibana_spaces: tuple[str, ...] = setting(
        "KIBANA_SPACES", "Kibana spaces that get the dashboards, with commas.", names, default=("default",)
    )


class Fleet(StrEnum):
    """What becomes of an index template of ours where Elastic's own package has one for the same data streams."""

    LEAVE = "leave"  # theirs stays; ours is not installed
    BESIDE = "beside"  # theirs stays; ours takes the data streams of NAMESPACE alone
    REPLACE = "replace"  # ours takes its place, until their package is installed again


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Everything decided. retention: dataset -> days, None for ever; "" stands for all that have no number of their own."""

    namespace: str = "default"
    logsdb: bool | None = None  # None: as the cluster has it by default
    ilm: bool = False
    geoip: bool = False
    transforms: bool = False
    fleet: Fleet = Fleet.LEAVE
    retention: Mapping[str, int | None]
    spaces: tuple[str, ...] = ()


def retention_of(settings: InstallSettings, datasets: Mapping[str, int | None]) -> dict[str, int | None]:
    """Dataset -> days (None: for ever), from the settings and what the templates say (`datasets`, None where they say nothing).

    Raises Misconfigured where RETENTION names a dataset that there is not.
    """
    given = dict(settings.retention)
    strange = sorted(given.keys() - datasets.keys())
    if strange:
        raise Misconfigured("RETENTION", f"names {strange[0]!r}; data sets are {', '.join(sorted(datasets))}.")
    return {
        dataset: given.get(dataset, settings.retention_days if own is None else own)
        for dataset, own in datasets.items()
    }


def kibana_spaces(settings: InstallSettings) -> tuple[str, ...]:
    """Spaces to import dashboards into; none without an address of Kibana."""
    return settings.kibana_spaces if settings.kibana_url else ()
