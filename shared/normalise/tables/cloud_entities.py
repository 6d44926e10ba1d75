"""The entities of a Defender for Cloud alert, a graph of `$id` and `$ref`, -> a plain list of entities, and what ECS says of them.

An entity that lies inside another one becomes an entry of the list of its own, before the one that it lay in, which keeps a `ref` to it.
Names and types of what an entity may hold are those of Elastic's package, where it has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from shared.normalise.bags import opened_text
from shared.normalise.convert import Issues, keyword, many
from shared.normalise.mapping import Kind
from shared.normalise.objects import MOST, Fields, Found, Put, listed, single

Entity = dict[str, Any]
type Node = tuple[int, Entity]

DEEPEST = 8  # levels of entities in entities
FEW = 8  # entities of a type that are looked through for an id, before an index is worth while

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


class _Entities(Found):
    """One alert's entities on their way into a plain list."""

    __slots__ = ("levels", "list", "made")

    def __init__(self, issues: Issues) -> None:
        super().__init__(issues)
        self.list: list[Entity] = []
        self.made = 0  # ids given to entities that have none
        self.levels = DEEPEST  # of entities in entities that are still opened


def _link(result: Entity, field: str, value: Any, path: str, found: _Entities) -> None:
    """A link or a list of links; what lies here instead goes to the list of entities, and a ref to it stays."""
    if value.__class__ is dict and len(value) == 1 and (ref := value.get("$ref")).__class__ is str and ref.isalnum():
        result[field] = {"ref": ref}  # by far the most
    elif value.__class__ is list:
        if refs := [ref for member in value[:MOST] if (ref := _ref(member, path, found)) is not None]:
            result[field] = refs
    elif (ref := _ref(value, path, found)) is not None:
        result[field] = ref


def _ref(value: Any, path: str, found: _Entities) -> Entity | None:
    """`{"$ref": …}` as it is; an entity that lies here goes to the list, and a ref to it comes back."""
    if value.__class__ is not dict or not found.levels or len(found.list) >= MOST:
        found.strange(path, value)
        return None
    found.levels -= 1
    entity = ENTITY.one(value, "entities", found)
    found.levels += 1
    if entity.keys() == {"ref"}:
        return entity
    if "id" not in entity:
        found.made += 1
        entity["id"] = f"unnamed-{found.made}"
    found.list.append(entity)
    return {"ref": entity["id"]}


def _place(result: Entity, field: str, value: Any, path: str, found: _Entities) -> None:
    """Where an address is, or the name of a cloud's region."""
    if value.__class__ is dict:
        _LOCATED(result, field, value, path, found)
    elif (name := keyword(value, path, found.issues)) is not None:
        result["location_value"] = name


def _ids(result: Entity, field: str, value: Any, path: str, found: _Entities) -> None:
    """A list of texts."""
    if (ids := many(keyword, value, path, found.issues)) is not None:
        result[field] = ids[:MOST]


_LOCATED = single(Fields(_LOCATION))
_WHERE: dict[str, tuple[str, Put]] = {"location": ("location", _LOCATED)}
ENTITY = Fields(
    _VALUES,
    {
        **{key: (field, _link) for key, field in _LINKS.items()},
        **{
            key: (field, listed(Fields(keys, _WHERE if "address" in keys else {})))
            for key, (field, keys) in _WITHIN.items()
        },
        "location": ("location", _place),
        "relatedazureresourceids": ("related_azure_resource_ids", _ids),
    },
)
extended_links = Fields(_SITES)
resource_identifiers = Fields(_IDENTIFIERS)


def entities(value: Any, column: str, issues: Issues) -> list[Entity] | None:
    """An alert's entities -> plain entities in a list, in the order in which they end; None where there is none."""
    found = _Entities(issues)
    if value.__class__ is str and value:
        value = opened_text(value) or value
    for place, member in enumerate(value if value.__class__ is list else (value,)):
        if member.__class__ is dict and place < MOST:
            if entity := ENTITY.one(member, "entities", found):
                found.list.append(entity)
        else:
            found.strange(f"{column} (other)", member)
    found.report()
    return found.list or None


class Graph:
    """The entities of one alert by type, and the way from a `ref` to what it means; nodes are (place in the list, entity)."""

    __slots__ = ("_by_id", "_by_type", "_entities")

    def __init__(self, entities: list[Entity]) -> None:
        self._entities = entities
        found: dict[str, list[Node]] = {}  # by the type as it is spelt and in lower case
        for place, entity in enumerate(entities):
            type = entity.get("type", "")
            nodes = found.get(type)
            if nodes is None:
                nodes = found[type] = found.setdefault(type.lower(), [])
            nodes.append((place, entity))
        self._by_type = found
        self._by_id: dict[str, dict[str, list[Node]]] = {}  # type -> id -> nodes, once somebody asks for the type

    def of(self, *types: str) -> list[Node]:
        """The nodes of all entities of these types, in lower case."""
        if len(types) == 1:
            return self._by_type.get(types[0], [])
        return [node for type in types for node in self._by_type.get(type, ())]

    def one(self, type: str) -> Entity:
        """The first entity of a type; empty where there is none."""
        nodes = self._by_type.get(type)
        return nodes[0][1] if nodes else {}

    def target(self, place: int, entity: Entity, link: str, type: str) -> Node | None:
        """What a link of an entity means, if it is of this type: ids may stand for several entities, the nearest before it wins."""
        value = entity.get(link)
        if value is None or value.__class__ is not dict:
            return None
        ref = value["ref"]
        nodes = self._by_type.get(type, ())
        if len(nodes) > FEW or type in _HOMES:
            ids = self._by_id.get(type)
            nodes = (self._ids(type) if ids is None else ids).get(ref, ())
        found = None
        for node in nodes:
            if node[1].get("id") == ref:
                if node[0] > place:
                    return found or node
                found = node
        return found

    def _ids(self, type: str) -> dict[str, list[Node]]:
        """The entities of a type by their ids, those within other entities among them."""
        ids = self._by_id[type] = {}
        for node in self._by_type.get(type, ()):
            if (id := node[1].get("id")) is not None:
                ids.setdefault(id, []).append(node)
        within = _HOMES.get(type)
        if within is not None:
            for place, entity in enumerate(self._entities):
                for member in entity.get(within, ()):
                    if member.get("type", "").lower() == type and "id" in member:
                        ids.setdefault(member["id"], []).append((place, member))
            for nodes in ids.values():
                nodes.sort(key=itemgetter(0))
        return ids


_HOMES = {"ip": "ip_addresses", "filehash": "file_hashes"}  # lists of entities that stay where they are
