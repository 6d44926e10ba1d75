"""Resource ids, images, processes in containers and sums of storage operations become ECS fields; anything at all has an answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.normalise.tables.cloud_rules import (
    audit_orchestrator,
    cloud_place,
    container_image,
    container_os,
    container_process,
    container_process_id,
    dns_protocol,
    dns_type,
    kubernetes,
    linux_account,
    md5_hashes,
    nanoseconds,
    parent_process,
    provider,
    storage_client,
    storage_outcome,
    storage_period,
)

AKS = "/subscriptions/s1/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks1"
ARC = "/SUBSCRIPTIONS/s1/RESOURCEGROUPS/g/PROVIDERS/MICROSOFT.KUBERNETES/CONNECTEDCLUSTERS/arc1"
VM = "/subscriptions/s1/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm1"
EKS = "arn:aws:eks:eu-west-1:111122223333:cluster/prod"
BUCKET = "arn:aws:s3:::bucket"
GKE = "//container.googleapis.com/projects/p1/locations/europe-west1/clusters/prod"
ZONAL = "projects/p1/zones/europe-west1-b/instances/i1"

# fmt: off
PLACES: list[tuple[tuple[str | None, ...], tuple[str | None, ...]]] = [
    ((AKS,),                                     ("azure", "s1", None, None, None, AKS, "aks1")),
    ((ARC,),                                     ("azure", "s1", None, None, None, ARC, "arc1")),
    ((VM, None, None, None, "s2", "westeurope"), ("azure", "s2", None, "westeurope", None, None, None)),
    ((None, EKS),                                ("aws", "111122223333", None, "eu-west-1", None, EKS, "prod")),
    ((ARC, EKS, None, None, "s2"),               ("aws", "111122223333", None, "eu-west-1", None, EKS, "prod")),
    ((None, BUCKET),                             ("aws", None, None, None, None, None, None)),
    ((None, "i-0123"),                           ("aws", None, None, None, None, None, None)),
    ((None, None, GKE),                          ("gcp", None, "p1", "europe-west1", None, GKE, "prod")),
    ((None, None, ZONAL),                        ("gcp", None, "p1", "europe-west1", "europe-west1-b", None, None)),
    ((None, None, None, VM),                     ("azure", "s1", None, None, None, None, None)),
    ((None, None, None, EKS),                    ("aws", "111122223333", None, "eu-west-1", None, EKS, "prod")),
    ((None, None, None, GKE),                    ("gcp", None, "p1", "europe-west1", None, GKE, "prod")),
    ((None, None, None, "vm1"),                  (None,) * 7),
    ((AKS, None, None, EKS),                     ("azure", "s1", None, None, None, AKS, "aks1")),
    ((None, None, None, None, "s2"),             ("azure", "s2", None, None, None, None, None)),
    ((None, None, None, None, "s2", None, "AWS"), ("aws", None, None, None, None, None, None)),
    ((None, None, None, None, None, "r", "GCP"), ("gcp", None, None, "r", None, None, None)),
    ((None,),                                    (None,) * 7),
]
IMAGES: list[tuple[tuple[str | None, ...], tuple[Any, ...]]] = [
    (("nginx",),                                   ("nginx", None, None)),
    (("nginx:1.25",),                              ("nginx", ["1.25"], None)),
    (("registry.example.com:5000/a/b",),           ("registry.example.com:5000/a/b", None, None)),
    (("registry.example.com:5000/a/b:2@sha256:c",), ("registry.example.com:5000/a/b", ["2"], ["sha256:c"])),
    (("a@sha256:c", "sha256:c"),                   ("a", None, ["sha256:c"])),
    (("a:1", "sha256:d"),                          ("a", ["1"], ["sha256:d"])),
    (("sha256:c",),                                ("sha256:c", None, None)),
    ((None, "sha256:d"),                           (None, None, ["sha256:d"])),
    ((None,),                                      (None, None, None)),
]
PROCESSES = [
    (("sh", "/bin/sh", "/bin/sh"),      ("sh", "/bin/sh")),
    (("sh", "busybox", "/bin"),         ("sh", "/bin/busybox")),
    (("/usr/bin/dig", None, None),      ("dig", "/usr/bin/dig")),
    ((None, "/bin/ls", None),           ("ls", "/bin/ls")),
    ((None, None, "/bin/ls"),           ("ls", "/bin/ls")),
    (("curl", None, None),              ("curl", None)),
    ((None, None, None),                (None, None)),
]
SYSTEMS = [
    (("/bin", "sh", "sh -c x", "sh"),                 "linux"),
    (("/Users/app/bin/x", None, None, None),          "linux"),
    ((None, None, "echo a\\nb", None),                "linux"),
    ((r"C:\Windows\System32\cmd.exe", None, None, None), "windows"),
    ((None, None, r'"C:\a b\c.exe" -x', None),        "windows"),
    ((None, None, None, "w3wp.exe"),                  "windows"),
    ((None, None, None, None),                        None),
]
# fmt: on


@pytest.mark.parametrize(("ids", "expected"), PLACES)
def test_where_a_resource_runs(ids: tuple[str | None, ...], expected: tuple[str | None, ...]) -> None:
    """Azure ids, ARNs and Google's names give provider, account, project, place and cluster; the columns of their own win."""
    assert cloud_place(*ids) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Azure", "azure"),
        ("Amazon Web Services", "aws"),
        ("Elastic Kubernetes Service", "aws"),
        ("Google Kubernetes Engine", "gcp"),
        ("Kubernetes Audit", None),
        (None, None),
    ],
)
def test_provider_of_a_data_source(source: str | None, expected: str | None) -> None:
    """DataSource names a cloud in several ways; one that names none gives none."""
    assert provider(source) == expected


@pytest.mark.parametrize(("arguments", "expected"), IMAGES)
def test_images_are_taken_apart(arguments: tuple[str | None, ...], expected: tuple[Any, ...]) -> None:
    """A registry's port is no tag, a digest counts once, a bare id stays as it is."""
    assert container_image(*arguments) == expected


@pytest.mark.parametrize(("arguments", "expected"), PROCESSES)
def test_process_of_a_container(arguments: Any, expected: tuple[str | None, str | None]) -> None:
    """Each of the three columns may be a name or the full path, and the path is written once."""
    assert container_process(*arguments) == expected


@pytest.mark.parametrize(("arguments", "expected"), SYSTEMS)
def test_system_of_a_container(arguments: Any, expected: str | None) -> None:
    """A container runs Linux unless the record shows Windows; never macOS."""
    assert container_os(*arguments) == expected


def test_process_ids_need_a_place() -> None:
    """The container comes first, then the pod's container, then the node; without any of them there is no id."""
    when = "2026-01-02T03:04:05.6Z"
    ids = [
        container_process_id("c", "h", "n", "p", "w", 7, when),
        container_process_id(None, "h", "n", "p", "w", 7, when),
        container_process_id(None, "h", "n", None, "w", 7, when),
        container_process_id(None, None, "n", None, "w", 7, when),
    ]
    end = "-7-2026-01-02T03:04:05.600"
    assert ids == [f"c{end}", f"n/p/w{end}", f"h{end}", None]


def test_parents_and_accounts() -> None:
    """A parent's path is its executable; uid 0 is user.id "0", from a number or its text."""
    assert parent_process("/usr/sbin/nginx") == ("nginx", "/usr/sbin/nginx")
    assert parent_process("bash") == ("bash", None)
    assert linux_account("root", {"uid": 0, "gid": "0", "group": "root"}) == ("root", None, "0", "0", "root")
    assert linux_account("app", {"values": []}) == ("app", None, None, None, None)


def test_kubernetes_is_named_where_it_shows() -> None:
    """Any of namespace, pod, resource or cluster is Kubernetes; so is a control plane whose source says so."""
    assert kubernetes("n", None, None) == ("kubernetes", None)
    assert kubernetes(None, "p", None) == ("kubernetes", "pod")
    assert kubernetes(None, None, None, "c") == ("kubernetes", None)
    assert kubernetes(None, None, None) == (None, None)
    assert [audit_orchestrator(*told) for told in (("Kubernetes Audit", None), ("AWS", EKS), ("AWS", None))] == [
        "kubernetes",
        "kubernetes",
        None,
    ]


def test_storage_columns_fall_back_on_additional_fields() -> None:
    """A column wins over AdditionalFields, and the first operation over the period's begin; false counts as told."""
    fields = {
        "FirstEventTimestamp": "2026-01-02T03:04:05Z",
        "IsTorExitNode": "true",
        "IsPrivateIp": True,
        "ClientCloudPlatformName": "AWS",
    }
    assert storage_period(None, None, "b", "e", fields) == ("2026-01-02T03:04:05Z", "e")
    assert storage_period("f", "l", "b", "e", fields) == ("f", "l")
    assert storage_client(None, None, False, None, fields) == (True, None, False, "AWS")
    assert storage_client(None, None, None, "Azure", None) == (None, None, None, "Azure")


def test_storage_outcome_and_hashes() -> None:
    """All well or all failed is an outcome, a mixture is unknown; hashes come in objects or alone, each once."""
    assert [storage_outcome(*counts) for counts in ((3, 0), (0, 2), (3, 2), (0, 0), (None, None), (3, None))] == [
        "success", "failure", "unknown", None, None, "success",
    ]  # fmt: skip
    assert md5_hashes([{"md5Hash": "a"}, {"md5Hash": "a"}, {"x": 1}, "b", 5]) == ["a", "b"]
    assert md5_hashes({"values": ["a"]}) == ["a"]
    assert md5_hashes({"md5Hash": "a"}) == ["a"]
    assert md5_hashes(None) is None


def test_dns_words() -> None:
    """Request and response are query and answer; a duration in milliseconds becomes nanoseconds, an impossible one nothing."""
    assert [dns_type("query", "response"), dns_type("query", None), dns_type(None, "Request"), dns_type("x", None)] == [
        "answer",
        "query",
        "query",
        None,
    ]
    assert (dns_protocol("a", None), dns_protocol(None, "query"), dns_protocol(None, None)) == ("dns", "dns", None)
    assert (nanoseconds(12), nanoseconds(0), nanoseconds(-1), nanoseconds(2**62), nanoseconds(None)) == (
        12_000_000,
        0,
        None,
        None,
        None,
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["uid", "md5Hash", "values", "IsTorExitNode", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(text=st.none() | st.text(max_size=60), other=st.none() | st.text(max_size=60), value=JSON)
def test_anything_has_an_answer(text: str | None, other: str | None, value: Any) -> None:
    """No text and no JSON value makes a rule raise."""
    cloud_place(text, None, other)
    cloud_place(None, text, None, other)
    cloud_place(None, None, text, other, other, other, text)
    container_image(text, other)
    container_process(text, other, text)
    container_os(text, other, text, other)
    linux_account(text, value)
    storage_period(text, other, None, None, value)
    storage_client(None, None, None, text, value)
    md5_hashes(value)
