"""The exposure graph's tables: nodes (devices, accounts, cloud resources, findings) and the edges between them.

Both are snapshots (event.kind `state`). A node is entity.*, an edge leads from entity.* to entity.target.*; a node that is a device,
an account or a cloud resource is host.*, user.* or resource.* too. What Microsoft's sources say of it stays one bag.
"""

from __future__ import annotations

from shared.normalise.mapping import ecs, rule, table, vendor
from shared.normalise.tables.exposure_rules import (
    entity_ids,
    entity_type,
    node_account,
    node_host,
    node_resource,
    node_vulnerability,
    related_names,
)
from shared.normalise.tables.snapshot_rows import snapshot
from shared.normalise.tables.vulnerability_rules import vulnerability

# fmt: off
EXPOSURE_GRAPH_NODES = table(
    "ExposureGraphNodes", ("NodeId",),
    snapshot(),
    ecs("NodeId",            "keyword",   "entity.id",       vendor="node.id"),
    ecs("NodeName",          "keyword",   "entity.name",     vendor="node.name"),
    ecs("NodeLabel",         "keyword",   "entity.sub_type", vendor="node.label"),
    vendor("Categories",     "keyword",   "node.categories", many=True),
    vendor("NodeProperties", "flattened", "node.properties"),
    vendor("EntityIds",      "flattened", "node.entity_ids"),
    rule(entity_type, ("NodeLabel", "Categories"), "entity.type"),
    rule(related_names, ("entity.type", "NodeName"), "#host_name", "#user_name", related=("hosts", "user")),
    rule(entity_ids, ("EntityIds",), "#ids", kind="object"),
    rule(node_host, ("entity.type", "NodeName", "#ids", "NodeProperties"),
         "host.id", "device.id", "cloud.instance.id", "host.name", "host.hostname", "host.domain", "host.os.type",
         related=("hosts", None, None, "hosts", None, None, None)),
    rule(node_account, ("entity.type", "#ids", "NodeProperties"),
         "user.id", "user.name", "user.domain", "user.email", related=("user", "user", None, "user")),
    rule(node_resource, ("NodeName", "#ids"), "cloud.provider", "cloud.account.id", "resource.id", "resource.name"),
    rule(node_vulnerability, ("NodeLabel", "NodeName"), "vulnerability.id"),
    rule(vulnerability, ("vulnerability.id",),
         "vulnerability.cve", "vulnerability.enumeration", "vulnerability.reference", "vulnerability.scanner.vendor"),
    action=None,
)

EXPOSURE_GRAPH_EDGES = table(
    "ExposureGraphEdges", ("EdgeId",),
    snapshot(),
    ecs("EdgeId",                  "keyword",   "event.id",               vendor="edge.id"),
    vendor("EdgeLabel",            "keyword",   "edge.label"),
    vendor("EdgeProperties",       "flattened", "edge.properties"),
    ecs("SourceNodeId",            "keyword",   "entity.id",              vendor="source_node.id"),
    ecs("SourceNodeName",          "keyword",   "entity.name",            vendor="source_node.name"),
    ecs("SourceNodeLabel",         "keyword",   "entity.sub_type",        vendor="source_node.label"),
    vendor("SourceNodeCategories", "keyword",   "source_node.categories", many=True),
    ecs("TargetNodeId",            "keyword",   "entity.target.id",       vendor="target_node.id"),
    ecs("TargetNodeName",          "keyword",   "entity.target.name",     vendor="target_node.name"),
    ecs("TargetNodeLabel",         "keyword",   "entity.target.sub_type", vendor="target_node.label"),
    vendor("TargetNodeCategories", "keyword",   "target_node.categories", many=True),
    rule(entity_type, ("SourceNodeLabel", "SourceNodeCategories"), "entity.type"),
    rule(entity_type, ("TargetNodeLabel", "TargetNodeCategories"), "entity.target.type"),
    rule(related_names, ("entity.type",        "SourceNodeName"), "#source_host", "#source_user", related=("hosts", "user")),
    rule(related_names, ("entity.target.type", "TargetNodeName"), "#target_host", "#target_user", related=("hosts", "user")),
    action=None,
)
# fmt: on
