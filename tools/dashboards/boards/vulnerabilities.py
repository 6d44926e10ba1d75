"""Vulnerabilities of devices, and of cloud resources and images."""

from __future__ import annotations

from tools.dashboards.views import ASSESSMENT, BAD, LEVELS, SEVERITY, VULNERABILITY
from tools.dashboards.vocabulary import (
    Control,
    Dashboard,
    Parts,
    Row,
    Top,
    donut,
    latest,
    maximum,
    metric,
    over_time,
    table,
    top,
    unique,
)

FLAWS, DEVICES = unique("vulnerability.id", "CVEs"), unique("host.id", "Devices")
FOUND = unique("event.id", "Findings")
EXPLOIT = "m365_defender.vulnerability.exploitability_level"
EXPLOITED = f"{EXPLOIT}: (ExploitIsPublic or ExploitIsVerified or ExploitIsInKit)"
CLOUD = "microsoft_defender_cloud.assessment.class: vulnerability"
DAY = "26h"

BOARD = Dashboard(
    key="vulnerabilities",
    title="Defender: Vulnerabilities",
    about="Software with vulnerabilities on devices, and findings on cloud resources, as the last scan of the day found them.",
    questions=(
        "Which vulnerabilities are critical or can be exploited, and on how many devices?",
        "Which software brings most of them, and is there an update?",
        "Which devices are the worst?",
        "Does it get better from day to day?",
    ),
    controls=(
        Control("Tenant", VULNERABILITY, "data_stream.namespace"),
        Control("Host", VULNERABILITY, "host.name"),
        Control("User group", VULNERABILITY, "group.name"),
        Control("Severity", VULNERABILITY, "vulnerability.severity"),
        Control("Software", VULNERABILITY, "package.name"),
    ),
    rows=(
        Row(
            6,
            (
                metric("Vulnerabilities", VULNERABILITY, FLAWS, last=DAY, width=28, parts=Parts("What", (
                    ("All", ""), ("Critical", "vulnerability.severity: Critical"), ("With an exploit", EXPLOITED),
                    ("Without an update", "m365_defender.vulnerability.security_update_available: false"),
                ))),
                metric("Devices affected", VULNERABILITY, DEVICES, last=DAY),
                metric("Findings in the cloud", ASSESSMENT, FOUND, where=CLOUD, last=DAY),
            ),
        ),
        Row(
            12,
            (
                over_time("Findings on devices, day by day", VULNERABILITY, FOUND, split=LEVELS, colours=SEVERITY, interval="1d"),
                donut("CVEs by severity", VULNERABILITY, LEVELS, FLAWS, colours=SEVERITY, last=DAY),
                donut("CVEs by exploit", VULNERABILITY, Top(EXPLOIT, "Exploit", 5), FLAWS, last=DAY),
            ),
        ),
        Row(
            14,
            (
                table("Severe vulnerabilities on most devices", VULNERABILITY, (Top("vulnerability.id", "CVE"),), (
                    DEVICES, maximum("vulnerability.score.base", "Score"), latest("package.name", "Software"), latest(EXPLOIT, "Exploit"), latest("m365_defender.vulnerability.recommended_security_update", "Update"), latest("vulnerability.reference", "Reference"),
                ), where="vulnerability.severity: (Critical or High)", link="Reference", last=DAY, width=30),
                top("Software with most findings", VULNERABILITY, Top("package.name", "Software"), FOUND, split=LEVELS, colours=SEVERITY, last=DAY),
            ),
        ),
        Row(
            13,
            (
                table("Devices with most CVEs", VULNERABILITY, (Top("host.name", "Device"),), (FLAWS, maximum("vulnerability.score.base", "Worst score"), unique("package.name", "Programs")), last=DAY),
                top("Findings by operating system", VULNERABILITY, Top("host.os.name", "System", 8), FOUND, split=LEVELS, colours=SEVERITY, last=DAY),
                donut("Is there an update?", VULNERABILITY, Parts("Update", (
                    ("available", "m365_defender.vulnerability.security_update_available: true"), ("not yet", "m365_defender.vulnerability.security_update_available: false"),
                )), FOUND, colours={"available": "#4c9f70", "not yet": BAD}, last=DAY),
            ),
        ),
        Row(
            13,
            (
                table("Cloud resources with most findings", ASSESSMENT, (Top("resource.name", "Resource"),), (FOUND, unique("vulnerability.id", "CVEs")), where=CLOUD, last=DAY),
                top("Cloud findings by severity", ASSESSMENT, LEVELS, FOUND, where=CLOUD, colours=SEVERITY, last=DAY),
                table("Images with most findings", ASSESSMENT, (Top("container.image.name", "Image"),), (FOUND, unique("vulnerability.id", "CVEs")), where=CLOUD, last=DAY),
            ),
        ),
    ),
)  # fmt: skip
