"""Entities of alerts: a graph of ids and refs becomes a plain list, in which links can be followed."""

from __future__ import annotations

from typing import Any

from shared.normalise.convert import Issue
from shared.normalise.objects import MOST
from shared.normalise.tables.cloud_entities import DEEPEST, Graph, entities


def test_entities_in_entities_become_entries_with_links() -> None:
    """An entity inside another is an entry of its own before it, linked by its id or, without one, by a made one."""
    issues: list[Issue] = []
    raw = [
        {
            "$id": "1", "ProcessId": "0x10", "Type": "process", "Host": {"$id": "2", "HostName": "WEB-1", "Type": "host"},
            "ImageFile": {"Name": "a.exe", "Type": "file"}, "ParentProcess": {"$ref": "9"},
        },
        {"$ref": "2"},
        {"$id": "3", "Type": "ip", "Address": "not an address", "Location": {"Asn": "64500", "CountryCode": "US"}, "Novelty": [1]},
        {"$id": "4", "Type": "gcp-resource", "Location": "us-central1-c"},
        "text",
    ]  # fmt: skip
    assert entities(raw, "entities", issues) == [
        {"id": "2", "host_name": "WEB-1", "type": "host"},
        {"name": "a.exe", "type": "file", "id": "unnamed-1"},
        {
            "id": "1",
            "process_id": "0x10",
            "type": "process",
            "host": {"ref": "2"},
            "image_file": {"ref": "unnamed-1"},
            "parent_process": {"ref": "9"},
        },
        {"ref": "2"},
        {"id": "3", "type": "ip", "location": {"asn": 64500, "country_code": "US"}},
        {"id": "4", "type": "gcp-resource", "location_value": "us-central1-c"},
    ]
    assert sorted((issue.column, issue.value) for issue in issues) == [
        ("entities (other)", ["text"]),
        ("entities.Address", "not an address"),
        ("entities.Novelty", [[1]]),
    ]


def test_a_ref_means_the_nearest_entity_of_the_right_type() -> None:
    """Real alerts use one $id several times: the nearest one before of a type that fits is meant, else the first after."""
    found: list[dict[str, Any]] = [
        {"id": "5", "type": "ip", "address": "192.0.2.1"},
        {"id": "5", "type": "host", "host_name": "A"},
        {"id": "9", "type": "process", "host": {"ref": "5"}, "account": {"ref": "7"}, "image_file": {"ref": "none"}},
        {"id": "5", "type": "host", "host_name": "B"},
        {"id": "7", "type": "account", "name": "kim"},
    ]
    graph = Graph(found)
    process = found[2]
    assert graph.target(2, process, "host", "host") == (1, found[1])
    assert graph.target(2, process, "account", "account") == (4, found[4])
    assert graph.target(2, process, "image_file", "file") is None
    assert graph.target(2, process, "parent_process", "process") is None


def test_a_ref_finds_addresses_and_hashes_within_entities() -> None:
    """Addresses of names and hashes of files stay where they are, and links find them by type; many entities are found as few are."""
    found = entities(
        [
            {"$id": "1", "Type": "DNS", "IpAddresses": [{"$id": "6", "Address": "192.0.2.1", "Type": "IP"}, {"$id": "6", "Type": "host"}], "HostIpAddress": {"$ref": "6"}},
            {"$id": "6", "Type": "ip", "Address": "192.0.2.2"},
            *({"$id": str(n), "Type": "file", "Name": f"file{n}"} for n in range(100, 120)),
            {"Type": "process", "ImageFile": {"$ref": "117"}},
        ],
        "entities",
        [],
    )  # fmt: skip
    assert found is not None
    graph = Graph(found)
    [(place, dns)] = graph.of("dns")
    target = graph.target(place, dns, "host_ip_address", "ip")
    assert target is not None
    assert target[1]["address"] == "192.0.2.1"
    assert graph.target(1, dns, "host_ip_address", "ip") == (1, found[1])
    process = graph.target(22, found[22], "image_file", "file")
    assert process is not None
    assert process[1]["name"] == "file117"
    assert graph.one("malware") == {}


def test_entities_are_bounded() -> None:
    """Thousands of entities, and entities nested without end, are opened up to the bound; the rest is handed on as it came."""
    issues: list[Issue] = []
    many = entities([{"$id": str(n), "Type": "ip"} for n in range(MOST + 50)], "entities", issues)
    assert many is not None
    assert len(many) == MOST
    assert [(issue.column, len(issue.value)) for issue in issues] == [("entities (other)", 50)]
    deep: dict[str, Any] = {"Type": "process"}
    for _ in range(50):
        deep = {"Type": "process", "ParentProcess": deep}
    issues.clear()
    found = entities([deep], "entities", issues)
    assert found is not None
    assert len(found) == DEEPEST + 1
    assert [(issue.column, len(issue.value)) for issue in issues] == [("entities.ParentProcess", 1)]


def test_text_and_no_entities() -> None:
    """JSON in text is opened, an empty list or text is nothing, one object is a list of one."""
    assert entities('[{"Type": "ip"}]', "entities", []) == entities({"Type": "ip"}, "entities", []) == [{"type": "ip"}]
    assert entities([], "entities", []) is entities("", "entities", []) is entities(None, "entities", []) is None
