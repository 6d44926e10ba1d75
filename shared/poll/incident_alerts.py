"""Alerts, each inside its incident: the object that a stored line of an incident with one alert is, without asking for `$expand`.

The incident is asked for by its id, once for all its alerts that come near one another. An alert whose incident can not be had goes on with
what it says of it itself: its id, its tenant, its link.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from shared.poll.body import Broken
from shared.poll.client import Api, BadRequest, Gone, OutOfTime, PageFailed
from shared.poll.walk import Bad, Row, Step

MOST_KEPT = 500  # incidents remembered within a run, about 1 kB each


class Incidents:
    """Incidents by id, the last ones used kept."""

    def __init__(self, api: Api, headers: Mapping[str, str]) -> None:
        self._api = api
        self._headers = headers
        self._kept: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    def of(self, alert: Row) -> Mapping[str, Any]:
        """The incident of an alert. Raises what ends a run: OutOfTime, Misconfigured."""
        id = str(alert.get("incidentId") or "")
        known = self._kept.get(id)
        if known is None:
            known = self._kept[id] = self._ask(id, alert)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(id)
        return known

    def _ask(self, id: str, alert: Row) -> Mapping[str, Any]:
        if id:
            try:
                found = self._api.get(f"/v1.0/security/incidents/{quote(id, safe='')}", None, self._headers).json()
                if isinstance(found, dict) and found.get("id"):
                    return {
                        key: value
                        for key, value in found.items()
                        if not key.startswith("@odata.context") and key != "alerts"
                    }
            except (Gone, BadRequest, PageFailed, Broken):
                pass  # see the module's second sentence
        own = {"id": id, "tenantId": alert.get("tenantId"), "incidentWebUrl": alert.get("incidentWebUrl")}
        return {key: value for key, value in own.items() if value}


def with_incidents(api: Api, headers: Mapping[str, str], steps: Iterator[Step]) -> Iterator[Step]:
    """Steps of alerts as steps of incidents with one alert each. A page ends early when the time is up: what was read of it counts."""
    incidents = Incidents(api, headers)
    late: list[OutOfTime] = []

    def joined(rows: Iterator[Row | Bad]) -> Iterator[Row | Bad]:
        for row in rows:
            try:
                whole = row if isinstance(row, Bad) else {**incidents.of(row), "alerts": row}
            except OutOfTime as error:
                late.append(error)
                if isinstance(rows, Generator):
                    rows.close()  # so that this row does not count as read
                return
            yield whole

    for step in steps:
        yield Step(joined(step.rows), step.position)
        if late:
            raise late[0]
