"""The entities of a Defender for Cloud alert, a graph of `$id` and `$ref`, -> a plain list of entities, and what ECS says of them.

An entity that lies inside another one becomes an entry of the list of its own, before the one that it lay in, which keeps a `ref` to it.
Names and types of what an entity may hold are those of Elastic's package, where it has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.normalise.bags import opened_text
from shared.normalise.convert import CONVERTERS, Issues
from shared.normalise.mapping import Kind

Entity = dict[str, Any]

MOST = 500  # entities, and members of one list of theirs; the rest goes into the bag of what is not mapped
DEEPEST = 8  # levels of entities in entities

# fmt: off
_LOCATION: dict[str, tuple[str, Kind]] = {
    "asn": ("asn", "long"),                   "carrier": ("carrier", "keyword"),             "city": ("city", "keyword"),
    "cloudprovider": ("cloud_provider", "keyword"), "countrycode": ("country_code", "keyword"), "countryname": ("country_name", "keyword"),
    "latitude": ("latitude", "double"),       "longitude": ("longitude", "double"),          "organization": ("organization", "keyword"),
    "organizationtype": ("organization_type", "keyword"), "state": ("state", "keyword"),     "systemservice": ("system_service", "keyword"),
}
_INTELLIGENCE: dict[str, tuple[str, Kind]] = {
    "confidence": ("confidence", "double"),   "threatdescription": ("description", "keyword"), "threatname": ("name", "keyword"),
    "providername": ("provider_name", "keyword"), "reportlink": ("report_link", "keyword"),  "threattype": ("type", "keyword"),
}
# Key in lower case -> the field, and what its values are.
_VALUES: dict[str, tuple[str, Kind]] = {
    "$id": ("id", "keyword"),                 "$ref": ("ref", "keyword"),                    "type": ("type", "keyword"),
    "asset": ("asset", "boolean"),            "name": ("name", "keyword"),                   "address": ("address", "ip"),
    "aadtenantid": ("aad_tenant_id", "keyword"), "aaduserid": ("aad_user_id", "keyword"),    "algorithm": ("algorithm", "keyword"),
    "amazonresourceid": ("amazon_resource_id", "keyword"), "azureid": ("azure_id", "keyword"), "category": ("category", "keyword"),
    "commandline": ("command_line", "wildcard"), "containerid": ("container_id", "keyword"), "creationtimeutc": ("creation_time_utc", "date"),
    "directory": ("directory", "keyword"),    "dnsdomain": ("dns_domain", "keyword"),        "domainname": ("domain_name", "keyword"),
    "elevationtoken": ("elevation_token", "keyword"), "endtimeutc": ("end_time_utc", "date"), "etag": ("etag", "keyword"),
    "hostname": ("host_name", "keyword"),     "imageid": ("image_id", "keyword"),            "isdomainjoined": ("is_domain_joined", "boolean"),
    "isvalid": ("is_valid", "boolean"),       "locationtype": ("location_type", "keyword"),  "logonid": ("logon_id", "keyword"),
    "netbiosname": ("net_bios_name", "keyword"), "ntdomain": ("nt_domain", "keyword"),       "objectguid": ("object_guid", "keyword"),
    "omsagentid": ("oms_agent_id", "keyword"), "osfamily": ("os_family", "keyword"),         "osversion": ("os_version", "keyword"),
    "processid": ("process_id", "keyword"),   "projectid": ("project_id", "keyword"),        "protocol": ("protocol", "keyword"),
    "resourceid": ("resource_id", "keyword"), "resourcename": ("resource_name", "keyword"),  "resourcetype": ("resource_type", "keyword"),
    "sessionid": ("session_id", "keyword"),   "sid": ("sid", "keyword"),                     "starttimeutc": ("start_time_utc", "date"),
    "upnsuffix": ("upn_suffix", "keyword"),   "url": ("url", "keyword"),                     "value": ("value", "keyword"),
    # not in Elastic's package
    "operatingsystem": ("operating_system", "keyword"), "displayname": ("display_name", "keyword"), "sourceport": ("source_port", "long"),
    "destinationport": ("destination_port", "long"), "hive": ("hive", "keyword"),            "key": ("key", "keyword"),
    "valuetype": ("value_type", "keyword"),   "subscriptionid": ("subscription_id", "keyword"),
}
_LINKS: dict[str, str] = {  # key in lower case -> the field that holds {"ref": …}
    "account": "account",             "blobcontainer": "blob_container",     "cloudresource": "cloud_resource", "cluster": "cluster",
    "host": "host",                   "hostipaddress": "host_ip_address",    "image": "image",                  "imagefile": "image_file",
    "namespace": "namespace",         "parentprocess": "parent_process",     "pod": "pod",                      "sourceaddress": "source_address",
    "storageresource": "storage_resource", "files": "files",                 "destinationaddress": "destination_address",
}
_WITHIN: dict[str, tuple[str, Mapping[str, tuple[str, Kind]]]] = {  # lists of entities that stay where they are
    "ipaddresses":  ("ip_addresses", {key: _VALUES[key] for key in ("$id", "$ref", "address", "asset", "type")}),
    "ipadresses":   ("ip_addresses", {key: _VALUES[key] for key in ("$id", "$ref", "address", "asset", "type")}),  # so spelt in real alerts
    "filehashes":   ("file_hashes",  {key: _VALUES[key] for key in ("$id", "$ref", "algorithm", "asset", "type", "value")}),
    "threatintelligence": ("threat_intelligence", _INTELLIGENCE),
}
_IDENTIFIERS: dict[str, tuple[str, Kind]] = {
    "$id": ("id", "keyword"),                 "type": ("type", "keyword"),                   "azureresourceid": ("azure_id", "keyword"),
    "azureresourcetenantid": ("azure_tenant_id", "keyword"), "aadtenantid": ("aad_tenant_id", "keyword"), "agentid": ("agent_id", "keyword"),
    "workspaceid": ("workspace_id", "keyword"), "workspacesubscriptionid": ("workspace_subscription_id", "keyword"),
    "workspaceresourcegroup": ("workspace_resource_group", "keyword"),
}
_SITES: dict[str, tuple[str, Kind]] = {
    "category": ("category", "keyword"), "href": ("href", "keyword"), "label": ("label", "keyword"), "type": ("type", "keyword"),
}
# fmt: on


def object_fields() -> dict[str, Kind]:
    """Every field below `entities`, `extended_links` and `resource_identifiers`, with its kind, for templates and docs."""
    found: dict[str, Kind] = {f"entities.{name}": kind for name, kind in _VALUES.values()}
    found |= {f"entities.{name}.ref": "keyword" for name in _LINKS.values()}
    found |= {f"entities.location.{name}": kind for name, kind in _LOCATION.values()}
    found |= {"entities.location_value": "keyword", "entities.related_azure_resource_ids": "keyword"}
    for name, keys in _WITHIN.values():
        found |= {f"entities.{name}.{field}": kind for field, kind in keys.values()}
    found |= {f"entities.ip_addresses.location.{name}": kind for name, kind in _LOCATION.values()}
    found |= {f"extended_links.{name}": kind for name, kind in _SITES.values()}
    return found | {f"resource_identifiers.{name}": kind for name, kind in _IDENTIFIERS.values()}


class _Opening:
    """One alert's lists on their way: what goes wrong, and what is not known, gathered for all of them."""

    def __init__(self, columns: dict[str, Any], issues: Issues) -> None:
        self.columns = columns
        self.issues = issues
        self.entities: list[Entity] = []
        self.made = 0  # ids given to entities that have none

    def unknown(self, column: str, value: Any) -> None:
        """Keep what has no field under its path, together with its like."""
        if value is not None and value != "":
            self.columns.setdefault(column, []).append(value)

    def value(self, target: dict[str, Any], field: tuple[str, Kind], value: Any, column: str) -> None:
        """Convert one value and put it into its field."""
        name, kind = field
        converted = CONVERTERS[kind](value, column, self.issues)
        if converted is not None:
            target[name] = converted

    def plain(self, raw: Mapping[str, Any], keys: Mapping[str, tuple[str, Kind]], column: str) -> dict[str, Any]:
        """An object with values only."""
        result: dict[str, Any] = {}
        for key, value in raw.items():
            field = keys.get(key.lower())
            if field is not None:
                self.value(result, field, value, f"{column}.{key}")
            elif key.lower() == "location" and value.__class__ is dict:
                result["location"] = self.plain(value, _LOCATION, f"{column}.{key}")
            else:
                self.unknown(f"{column}.{key}", value)
        return result

    def many(self, raw: Any, column: str, each: Callable[[Mapping[str, Any]], Any]) -> list[Any]:
        """What each object of a list becomes; other members and those beyond `MOST` are kept as not known."""
        members = raw if raw.__class__ is list else [raw]
        result = []
        for position, member in enumerate(members):
            if position < MOST and member.__class__ is dict:
                if made := each(member):
                    result.append(made)
            else:
                self.unknown(f"{column} (other)", member)
        return result

    def entity(self, raw: Mapping[str, Any], levels: int = DEEPEST) -> Entity:
        """An entity; those inside it are added to the list first, it itself is left to the caller."""
        result: Entity = {}
        for key, value in raw.items():
            plain = key.lower()
            if value is None or value == "":
                continue
            if (field := _VALUES.get(plain)) is not None:
                if value.__class__ is str and field[1] == "keyword" and len(value) > 3:  # the common case
                    result[field[0]] = value
                    continue
                self.value(result, field, value, f"entities.{key}")
            elif (link := _LINKS.get(plain)) is not None:
                refs = [
                    self.link(member, f"entities.{key}", levels)
                    for member in (value if value.__class__ is list else [value])[:MOST]
                ]
                if found := [ref for ref in refs if ref is not None]:
                    result[link] = found if value.__class__ is list else found[0]
            elif plain in _WITHIN:
                name, keys = _WITHIN[plain]
                if found := self.many(value, f"entities.{key}", lambda raw: self.plain(raw, keys, f"entities.{key}")):  # noqa: B023  called at once
                    result[name] = found
            elif plain == "location":
                if value.__class__ is dict:
                    result["location"] = self.plain(value, _LOCATION, f"entities.{key}")
                else:
                    self.value(result, ("location_value", "keyword"), value, f"entities.{key}")
            elif plain == "relatedazureresourceids":
                ids = [text for text in (value if value.__class__ is list else [value])[:MOST] if text.__class__ is str]
                result["related_azure_resource_ids"] = ids
            else:
                self.unknown(f"entities.{key}", value)
        return result

    def link(self, value: Any, column: str, levels: int) -> Entity | None:
        """`{"$ref": …}` as it is; an entity that lies here goes to the list, and a ref to it comes back."""
        if value.__class__ is not dict or not levels or len(self.entities) >= MOST:
            self.unknown(column, value)
            return None
        entity = self.entity(value, levels - 1)
        if entity.keys() == {"ref"}:
            return entity
        if "id" not in entity:
            self.made += 1
            entity["id"] = f"unnamed-{self.made}"
        self.entities.append(entity)
        return {"ref": entity["id"]}


def open_lists(columns: dict[str, Any], issues: Issues) -> None:
    """Replace an alert's entities, extendedLinks and resourceIdentifiers by lists of plain objects; adds columns for what is not known in them."""
    opening = _Opening(columns, issues)
    for column, keys in (("extendedLinks", _SITES), ("resourceIdentifiers", _IDENTIFIERS)):
        if (raw := _list(columns.pop(column, None))) is not None:
            columns[column] = opening.many(raw, column, lambda member: opening.plain(member, keys, column))  # noqa: B023  called at once
    raw = _list(columns.pop("entities", None))
    if raw is None:
        return

    def add(member: Mapping[str, Any]) -> None:
        if entity := opening.entity(member):
            opening.entities.append(entity)

    opening.many(raw, "entities", add)
    columns["entities"] = opening.entities


def _list(value: Any) -> Any:
    """A list, also out of its JSON text; None for nothing."""
    if value.__class__ is str and value:
        return opened_text(value) or value
    return value


class Graph:
    """The entities of one alert by type, and the way from a `ref` to what it means; nodes are (place in the list, entity)."""

    def __init__(self, entities: list[Entity]) -> None:
        self._by_type: dict[str, list[tuple[int, Entity]]] = {}
        self._by_id: dict[tuple[str, str], list[tuple[int, Entity]]] = {}
        for position, entity in enumerate(entities):
            self._add(position, entity)
            for inner in ("ip_addresses", "file_hashes"):
                for member in entity.get(inner, ()):
                    self._add(position, member, inside=True)

    def _add(self, position: int, entity: Entity, *, inside: bool = False) -> None:
        type = entity.get("type")
        type = type.lower() if type.__class__ is str else ""
        node = (position, entity)
        if not inside:
            self._by_type.setdefault(type, []).append(node)
        if (id := entity.get("id")).__class__ is str:
            self._by_id.setdefault((id, type), []).append(node)

    def of(self, *types: str) -> list[tuple[int, Entity]]:
        """The nodes of all entities of these types, in lower case."""
        if len(types) == 1:
            return self._by_type.get(types[0], [])
        return [node for type in types for node in self._by_type.get(type, ())]

    def one(self, *types: str) -> Entity:
        """The first entity of these types; empty where there is none."""
        nodes = self.of(*types)
        return nodes[0][1] if nodes else {}

    def target(self, place: int, entity: Entity, link: str, *types: str) -> tuple[int, Entity] | None:
        """What a link of an entity means, if it is of one of these types: ids may stand for several entities, the nearest before it wins."""
        value = entity.get(link)
        ref = value.get("ref") if value.__class__ is dict else None
        if ref.__class__ is not str:
            return None
        found = [node for type in types for node in self._by_id.get((ref, type), ())]
        before = [node for node in found if node[0] <= place]
        return before[-1] if before else found[0] if found else None
