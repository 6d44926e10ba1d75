"""What additionalData of a sub-assessment may hold, for every scanner's kind of finding (facts: sub_assessments), and our fields for it (data).

Keys are in lower case here, as `arm_assessment` hands them on; a field is the documented name in Elastic's spelling: `cvssV30Score` is
`cvss_v30_score`. Names and types are those of Elastic's package where it has the field.
"""

from __future__ import annotations

from shared.normalise.mapping import Kind, Shape
from shared.normalise.tables.arm_rules import snake


def shape(words: str, **below: Shape) -> Shape:
    """Documented names, each with the kind of its values after a colon unless they are keywords, and names of objects with their shapes."""
    found: dict[str, tuple[str, Kind | Shape]] = {}
    for word in words.split():
        name, _, kind = word.partition(":")
        found[name.lower()] = snake(name), kind or "keyword"  # type: ignore[assignment]  # a kind
    return found | {name.lower(): (snake(name), inner) for name, inner in below.items()}


_LINK = shape("title link")
_SCORE = shape("base:double cvssVectorString")
SCORES = {"2.0": "cvss_v2", "3.0": "cvss_v3", "3.1": "cvss_v31", "4.0": "cvss_v4"}  # a field's name may hold no dots
_SCORES: dict[str, tuple[str, Kind | Shape]] = {name: (name, _SCORE) for name in SCORES.values()}
_CVE = shape("""
    title link cvssScore:double cvssVersion cvssVectorString severity description exploitTypes exploitUris exploitabilityLevel
    hasPublicExploit:boolean isExploitVerified:boolean isExploitInKit:boolean isZeroDay:boolean lastModifiedDate:date publishedDate:date
""")
_ARTIFACT = shape("lastPushedToRegistryUTC:date repositoryName registryHost artifactType mediaType digest tags")
_SOFTWARE = shape(
    "category language fixedVersion version vendor packageName fixStatus evidence patchable:boolean",
    osDetails=shape("osPlatform osName osVersion"),
    fixReference=shape("id description releaseDate url"),
)
_VULNERABILITY = {
    **shape(
        "severity cveId lastModifiedDate:date publishedDate:date workarounds:flattened",
        exploitabilityAssessment=shape("""
            exploitStepsPublished:boolean exploitStepsVerified:boolean isInExploitKit:boolean isVerified:boolean isPubliclyDisclosed:boolean
            exploitUris types
        """),
        references=_LINK,
        weaknesses=shape("", cwe=shape("id")),
        cpe=shape("language softwareEdition version targetHardware targetSoftware vendor edition product update other part uri"),
    ),
    **_SCORES,
}  # fmt: skip
_KUBERNETES = shape(
    "cloud clusterKind clusterName clusterResourceId namespace controllerKind controllerName podName containerName"
)
_WORKLOADS = shape("kind name namespace", ownedResources=shape("kind name namespace", containers=shape("name")))
_DATA: Shape = {
    "signatureupdatedate": ("signature_update_date", "keyword"),
    "resources": ("resources", "keyword"),
    "other": ("other", "flattened"),  # an open map: what has no field
}

ADDITIONAL_DATA: Shape = {
    **shape(
        """
        assessedResourceType type source patchable:boolean threat publishedTime:date query repositoryName imageDigest cvssV30Score:double
        softwareVendor softwareName softwareVersion recommendedVendor recommendedProgram recommendedVersion affectedNodes
        fixedNodePoolVersion fixedClusterVersion installedNodePoolVersion installedClusterVersion
        """,
        cve=_CVE,  # one object
        cveList=_CVE,  # a list of them, under another name as in Elastic's package
        cveEdgesDetails=shape("cveIdAsSourceNodeId"),
        vendorReferences=_LINK,
        benchmarks=shape("benchmark reference"),
        resourceIdAsTargetNodeId=shape("azureResourceId targetResourceType targetResourceId"),
        aggregateServerResourceMetadata=shape("managedAggregateResourceId managedPoolName"),
        kubernetesDetails=_KUBERNETES,
        clusterDetails=shape("clusterResourceId clusterName"),
        kubernetesContext=shape("", workloads=_WORKLOADS),
        securityGating=shape("requestId evaluatedResourceName evaluatedResourceKind"),
        artifactDetails=_ARTIFACT,
        softwareDetails=_SOFTWARE,
        vulnerabilityDetails=_VULNERABILITY,
        metadata=shape("inventorySource scanner"),
    ),
    "data": ("data", _DATA),
    **_SCORES,
}
OBJECTS = frozenset(key for key, row in ADDITIONAL_DATA.items() if not isinstance(row[1], str)) | {"cvss"}

# A container image's assessment lists its CVEs in one text: [{"CVE":"CVE-…","Severity":"Medium","BaseScore":6.5}]
IMAGE_CVES = shape("cve severity baseScore:double")
