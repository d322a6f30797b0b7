"""What the API server makes of the CRDs: what it accepts, refuses, fills in and shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from clients.kubernetes import Cluster
from domain.errors import InvalidRequest
from domain.resources import API_VERSION, GROUP, KINDS, ServiceBinding, parse, parse_as
from tests.unit.resources.broken import BROKEN
from tests.unit.resources.samples import SPECS, resource

pytestmark = pytest.mark.integration

REFERENCE = [*yaml.safe_load_all((Path(__file__).parent / "reference.yaml").read_text())]


def _placed(content: dict[str, Any], organization: str) -> dict[str, Any]:
    """Puts a resource into an organization; one of the whole cluster gets its name."""
    kind = KINDS[content["kind"]]
    if kind.scope == "Cluster":
        return {**content, "metadata": {"name": organization}}
    return {**content, "metadata": {"name": content["metadata"]["name"], "namespace": organization}}


async def _read(cluster: Cluster, content: dict[str, Any]) -> dict[str, Any]:
    kind = await cluster.kind_of(API_VERSION, content["kind"])
    metadata = content["metadata"]
    return await cluster.get(kind, metadata["name"], metadata.get("namespace", ""))


async def _remove_organization(cluster: Cluster, name: str) -> None:
    await cluster.delete(await cluster.kind_of(API_VERSION, "Organization"), name)


async def test_every_kind_is_established_under_its_names(cluster: Cluster) -> None:
    crd = await cluster.kind_of("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    for kind in KINDS.values():
        status = (await cluster.get(crd, f"{kind.plural}.{GROUP}"))["status"]
        holding = {one["type"] for one in status["conditions"] if one["status"] == "True"}
        assert holding == {"Established", "NamesAccepted"}, kind.kind
        assert status["acceptedNames"]["categories"] == ["pavane"]
        assert status["acceptedNames"]["shortNames"] == list(kind.short_names)


@pytest.mark.parametrize("way", ["create", "apply"])
@pytest.mark.parametrize("content", REFERENCE, ids=lambda content: content["kind"])
async def test_the_published_fragments_are_taken_unchanged(
    cluster: Cluster, organization: str, content: dict[str, Any], way: str
) -> None:
    placed = _placed(content, organization)
    try:
        await getattr(cluster, way)(placed)
        assert parse(await _read(cluster, placed)).name == placed["metadata"]["name"]
    finally:
        if content["kind"] == "Organization":
            await _remove_organization(cluster, organization)


async def test_an_organization_needs_no_more_than_a_name(
    cluster: Cluster, organization: str
) -> None:
    bare = {
        "apiVersion": API_VERSION,
        "kind": "Organization",
        "metadata": {"name": organization},
    }
    try:
        created = await cluster.create(bare)
        assert created["spec"]["builds"] == {"concurrency": 4, "supersede": "SameBranch"}
    finally:
        await _remove_organization(cluster, organization)


@pytest.mark.parametrize("kind", sorted(SPECS))
async def test_the_server_fills_in_what_the_models_fill_in(
    cluster: Cluster, organization: str, kind: str
) -> None:
    content = _placed(resource(kind), organization)
    try:
        created = await cluster.create(content)
    finally:
        if kind == "Organization":
            await _remove_organization(cluster, organization)
    sent, got = parse(content).model_dump(), parse(created).model_dump()
    assert got["spec"] == sent["spec"]
    written = parse(content).to_dict()["spec"]
    assert {name: created["spec"].get(name) for name in written} == written


@pytest.mark.parametrize(("kind", "changes", "message"), BROKEN)
async def test_a_broken_rule_is_refused_in_our_words(
    cluster: Cluster, organization: str, kind: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await cluster.create(_placed(resource(kind, **changes), organization))
    assert message in f"{refused.value} {refused.value.facts}"


FIXED: list[tuple[str, dict[str, Any], str]] = [
    ("Component", {"componentOwner": {"projectRef": "bank"}}, "a component stays in its project"),
    ("Workload", {"componentRef": "api"}, "a workload stays with its component"),
    ("ServiceBinding", {"environmentRef": "staging"}, "a binding stays in its environment"),
    ("ServiceBinding", {"componentRef": "api"}, "a binding stays with its component"),
    ("ServiceBinding", {"componentRef": None}, "a binding stays with its component"),
    ("Component", {"componentType": "API"}, "a component keeps its type"),
    ("APIBinding", {"environmentRef": "staging"}, "a binding stays in its environment"),
    ("ClassRevision", {"content": {}}, "a ClassRevision never changes"),
    ("Build", {"revision": {"branch": "other"}}, "a Build is one run and does not change"),
    ("DeployableArtifact", {"commit": "d" * 40}, "a DeployableArtifact never changes"),
    ("Deployment", {"artifactRef": "web-1"}, "a Deployment is one event and does not change"),
    ("Release", {"hash": "d" * 64}, "a Release never changes"),
]


@pytest.mark.parametrize(("kind", "changes", "message"), FIXED)
async def test_what_is_fixed_cannot_be_changed(
    cluster: Cluster, organization: str, kind: str, changes: dict[str, Any], message: str
) -> None:
    await cluster.create(_placed(resource(kind), organization))
    found = await _read(cluster, _placed(resource(kind), organization))
    found["spec"] = {
        key: value for key, value in {**found["spec"], **changes}.items() if value is not None
    }
    with pytest.raises(InvalidRequest) as refused:
        await cluster.replace(found)
    assert message in f"{refused.value} {refused.value.facts}"


async def test_not_even_the_inside_of_an_object_of_a_release_changes(
    cluster: Cluster, organization: str
) -> None:
    await cluster.create(_placed(resource("Release"), organization))
    found = await _read(cluster, _placed(resource("Release"), organization))
    found["spec"]["objects"][0]["data"] = {"a": "b"}
    with pytest.raises(InvalidRequest, match="a Release never changes: it is named by its content"):
        await cluster.replace(found)


async def test_a_release_may_get_labels_and_a_status(cluster: Cluster, organization: str) -> None:
    content = _placed(resource("Release"), organization)
    await cluster.create(content)
    found = await _read(cluster, content)
    found["metadata"]["labels"] = {"choreo.dev/component": "web"}
    assert (await cluster.replace(found))["metadata"]["labels"]
    applied = await cluster.apply_status({**content, "status": {"health": "Healthy"}})
    assert applied["status"] == {"health": "Healthy"}


async def test_a_binding_may_name_its_component_later(cluster: Cluster, organization: str) -> None:
    content = _placed(resource("ServiceBinding", componentRef=None), organization)
    await cluster.create(content)
    content["spec"]["componentRef"] = "web"
    assert (await cluster.apply(content))["spec"]["componentRef"] == "web"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("DataPlane", {"taskQueue": "plane local"}),
        ("Build", {"revision": {"commit": "main"}}),
        ("Build", {"revision": {"branch": "--upload-pack=x"}}),
        ("DeployableArtifact", {"image": "registry/web:latest"}),
        ("ServiceBinding", {"workload": {"image": "registry/web:latest"}}),
        ("ServiceBinding", {"workload": {"replicas": -1}}),
        ("ServiceBinding", {"state": "Gone"}),
        ("Component", {"componentType": "Gizmo"}),
        ("Environment", {"dataPlaneRef": None}),
    ],
)
async def test_the_server_refuses_what_the_models_refuse(
    cluster: Cluster, organization: str, kind: str, changes: dict[str, Any]
) -> None:
    content = _placed(resource(kind, **changes), organization)
    with pytest.raises(InvalidRequest):
        parse(content)
    with pytest.raises(InvalidRequest):
        await cluster.create(content)


async def test_a_name_that_is_no_label_is_refused(cluster: Cluster, organization: str) -> None:
    with pytest.raises(InvalidRequest, match=r"metadata\.name"):
        await cluster.create(_placed(resource("Project", name="web.shop"), organization))


async def test_two_writers_of_a_status_keep_their_own_conditions(
    cluster: Cluster, organization: str
) -> None:
    content = _placed(resource("ServiceBinding"), organization)
    await cluster.create(content)
    for manager, of_type in (("one", "Ready"), ("two", "Resolved")):
        condition = {
            "type": of_type,
            "status": "False",
            "reason": "Testing",
            "message": "waiting for the end of the test",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        status = {"conditions": [condition]}
        await cluster.apply_status({**content, "status": status}, manager=manager)
    binding = parse_as(ServiceBinding, await _read(cluster, content))
    assert {one.type for one in binding.status.conditions} == {"Ready", "Resolved"}
    assert binding.metadata.generation == 1


async def test_a_list_answers_what_runs_where_and_why_not(
    cluster: Cluster, organization: str
) -> None:
    content = _placed(resource("ServiceBinding"), organization)
    await cluster.create(content)
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": "CrashLoopBackOff",
        "message": "main: no such table",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    status = {"version": "a" * 12, "url": "http://web.dev.localhost", "conditions": [ready]}
    await cluster.apply_status({**content, "status": status})
    row = await _row(cluster, "ServiceBinding", organization)
    assert row.pop("Age")
    assert row == {
        "Name": "web",
        "Component": "web",
        "Environment": "development",
        "Version": "a" * 12,
        "Ready": "False",
        "Reason": "CrashLoopBackOff",
        "Drift": None,
        "URL": "http://web.dev.localhost",
        "Message": "main: no such table",
        "Wanted": "web-0123456789",
        "State": "Suspend",
        "Revision": None,
    }


async def _row(cluster: Cluster, kind: str, organization: str) -> dict[str, Any]:
    """Returns the only row of a list, as kubectl shows it."""
    plain = cluster.session._headers["Accept"]
    cluster.session._headers["Accept"] = "application/json;as=Table;v=v1;g=meta.k8s.io"
    try:
        path = (await cluster.kind_of(API_VERSION, kind)).path(organization)
        table = await cluster.session.json("GET", path, what="table")
    finally:
        cluster.session._headers["Accept"] = plain
    (row,) = table["rows"]
    names = [column["name"] for column in table["columnDefinitions"]]
    return dict(zip(names, row["cells"], strict=True))
