"""The dashboards, one module each, in the order in which Kibana links them."""

from __future__ import annotations

from tools.dashboards.boards import alerts, cloud, devices, email, identity, overview, pipeline, vulnerabilities
from tools.dashboards.vocabulary import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (
    overview.BOARD,
    alerts.BOARD,
    devices.BOARD,
    email.BOARD,
    identity.BOARD,
    cloud.BOARD,
    vulnerabilities.BOARD,
    pipeline.BOARD,
)
