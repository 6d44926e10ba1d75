"""Places of addresses, networks and user agents: the optional ingest pipeline, and the fields that it writes, typed.

Attached by `python -m cli install --geoip` only (docs/elasticsearch.md). What a record tells itself stays: a processor runs where nothing is there yet.
"""

from __future__ import annotations

from typing import Any

COMPONENT, PIPELINE = "defender_to_elasticsearch@places", "defender_to_elasticsearch-places"
ENDS = ("source", "destination", "client", "host")  # whose `ip` is looked up
META = {"managed_by": "defender-to-elasticsearch"}
# What the processor writes of a city by default, in all versions.
CITY = ("continent_name", "country_iso_code", "country_name", "region_iso_code", "region_name", "city_name", "location")
KEYWORD = {"type": "keyword", "ignore_above": 1024}
NAMED = {**KEYWORD, "fields": {"text": {"type": "match_only_text"}}}


def places_pipeline() -> dict[str, Any]:
    """The pipeline. Nothing in it can fail a document: a database that is not there yet leaves a tag (`_geoip_database_unavailable_…`)."""
    processors = [processor for end in ENDS for processor in (*_place(end), *_network(end))]
    agent = {
        "if": "ctx.user_agent?.name == null && ctx.user_agent?.original instanceof String",
        "field": "user_agent.original",
        "ignore_missing": True,
        "ignore_failure": True,
    }
    return {
        "description": "Microsoft Defender: places and networks of addresses, and what user agents are",
        "processors": [*processors, {"user_agent": agent}],
        "_meta": META,
    }


def _place(end: str) -> list[dict[str, Any]]:
    """City of one end."""
    place = {
        "if": f"ctx.{end}?.geo == null",
        "field": f"{end}.ip",
        "target_field": f"{end}.geo",
        "ignore_missing": True,
        "ignore_failure": True,
    }
    return [{"geoip": place}]


def _network(end: str) -> list[dict[str, Any]]:
    """Autonomous system of one end; the processor's names are not those of ECS."""
    network = {
        "if": f"ctx.{end}?.as == null",
        "field": f"{end}.ip",
        "target_field": f"{end}.as",
        "database_file": "GeoLite2-ASN.mmdb",
        "properties": ["asn", "organization_name"],
        "ignore_missing": True,
        "ignore_failure": True,
    }
    names = (("asn", "number"), ("organization_name", "organization.name"))
    moved = [
        {
            "rename": {
                "field": f"{end}.as.{theirs}",
                "target_field": f"{end}.as.{ours}",
                "ignore_missing": True,
                "ignore_failure": True,
            }
        }
        for theirs, ours in names
    ]
    return [{"geoip": network}, *moved]


def places_component() -> dict[str, Any]:
    """The component template that attaches the pipeline and types what it writes (types: ECS)."""
    place = dict.fromkeys((*CITY, "name"), KEYWORD) | {"location": {"type": "geo_point"}}
    network = {"number": {"type": "long"}, "organization": {"properties": {"name": NAMED}}}
    ends: dict[str, Any] = {
        end: {"properties": {"geo": {"properties": place}, "as": {"properties": network}}} for end in ENDS
    }
    system = {"name": NAMED, "full": NAMED, "version": KEYWORD}
    ends["user_agent"] = {
        "properties": {
            "name": KEYWORD,
            "version": KEYWORD,
            "original": NAMED,
            "os": {"properties": system},
            "device": {"properties": {"name": KEYWORD}},
        }
    }
    return {
        "template": {"settings": {"index.default_pipeline": PIPELINE}, "mappings": {"properties": ends}},
        "_meta": META
        | {"description": "Microsoft Defender: places, networks and user agents, looked up while indexing"},
    }
