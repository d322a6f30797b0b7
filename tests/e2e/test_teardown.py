"""What is deleted is taken down from real planes in order, and nothing hangs without a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from clients.kubernetes import Cluster, Kind
from domain import ids
from domain.errors import InvalidRequest, NotFound
from domain.policies.teardown.holds import GUARDED, TEARDOWN
from domain.resources import API_VERSION, KINDS
from tests.e2e.test_types import DEPLOYMENTS, NAMESPACES, Tenant, cluster, tenant

__all__ = ["cluster", "tenant"]  # fixtures
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.sampled]
PATIENCE = 240


def of(kind: str) -> Kind:
    model = KINDS[kind]
    return Kind(API_VERSION, kind, model.plural, namespaced=model.scope == "Namespaced")


async def until(
    cluster: Cluster, kind: Kind, name: str, where: str, holds: Callable[[Any], bool]
) -> Any:
    """Returns an object once it is so; None = it is gone."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await cluster.find(kind, name, where)
            if holds(found):
                return found
            await asyncio.sleep(0.3)


def gone(found: object) -> bool:
    return found is None


def held(found: Any) -> bool:
    return TEARDOWN in found["metadata"].get("finalizers", ())


def ready(found: Any) -> dict[str, Any]:
    told = found.get("status", {}).get("conditions", ())
    return next((one for one in told if one["type"] == "Ready"), {})


async def a_service(tenant: Tenant, name: str) -> None:
    main = {"name": "main", "command": ["python3", "-m", "http.server", "8080"]}
    await tenant.component("Service", name, workload={"containers": [main]})
    assert (await tenant.judged("Service", name))["ready"]["reason"] == "Deployed"


async def test_a_component_goes_with_what_runs_of_it_and_leaves_others_alone(
    cluster: Cluster, tenant: Tenant
) -> None:
    await asyncio.gather(a_service(tenant, "one"), a_service(tenant, "two"))
    await until(cluster, of("Component"), "one", tenant.name, held)

    await cluster.delete(of("Component"), "one", tenant.name)
    await until(cluster, of("Component"), "one", tenant.name, gone)

    for kind in ("ServiceBinding", "Workload", "DeployableArtifact", "Release", "Deployment"):
        there = await cluster.list(of(kind), tenant.name)
        assert not [each for each in there.items if "one" in each["metadata"]["name"]], kind
    assert await cluster.find(DEPLOYMENTS, "one", tenant.namespace) is None
    assert await cluster.find(DEPLOYMENTS, "two", tenant.namespace) is not None


async def test_what_others_use_says_who_and_goes_when_they_do_not(
    cluster: Cluster, tenant: Tenant
) -> None:
    await a_service(tenant, "three")
    line = of("DeploymentPipeline")
    await until(cluster, line, "line", tenant.name, held)
    await cluster.delete(line, "line", tenant.name)

    told = await until(
        cluster, line, "line", tenant.name, lambda one: ready(one).get("reason") == "InUse"
    )
    assert "Project shop (spec.deploymentPipelineRef)" in ready(told)["message"]

    paths = [{"sourceEnvironmentRef": "dev"}]
    await tenant.declare("DeploymentPipeline", "renamed", {"promotionPaths": paths})
    await tenant.declare("Project", "shop", {"deploymentPipelineRef": "renamed"})
    await until(cluster, line, "line", tenant.name, gone)
    assert (await tenant.judged("Service", "three"))["ready"]["status"] == "True"


async def test_a_component_is_moved_by_declaring_it_anew_and_nothing_stays_in_its_old_project(
    cluster: Cluster, tenant: Tenant
) -> None:
    await a_service(tenant, "five")
    line = (await cluster.get(of("Project"), "shop", tenant.name))["spec"]["deploymentPipelineRef"]
    await tenant.declare("Project", "office", {"deploymentPipelineRef": line})
    owner = {"componentOwner": {"projectRef": "office"}, "componentType": "Service"}
    with pytest.raises(InvalidRequest, match="create another one in the other project"):
        await tenant.declare("Component", "five", owner)

    await until(cluster, of("Component"), "five", tenant.name, held)
    await cluster.delete(of("Component"), "five", tenant.name)
    await until(cluster, of("Component"), "five", tenant.name, gone)
    main = {"name": "main", "command": ["python3", "-m", "http.server", "8080"]}
    await tenant.component("Service", "five", workload={"containers": [main]}, project="office")
    ready_there = (await tenant.judged("Service", "five"))["ready"]

    new = ids.namespace(tenant.name, "office", "dev")
    assert ready_there["reason"] == "Deployed", ready_there
    assert await cluster.find(DEPLOYMENTS, "five", new) is not None
    assert await cluster.find(DEPLOYMENTS, "five", tenant.namespace) is None
    await cluster.delete(of("Project"), "office", tenant.name)
    await until(cluster, of("Project"), "office", tenant.name, gone)
    await until(cluster, NAMESPACES, new, "", gone)
    assert await cluster.find(of("Component"), "five", tenant.name) is None


async def test_an_organization_deleted_with_its_namespace_leaves_nothing_behind(
    cluster: Cluster, tenant: Tenant
) -> None:
    doomed = Tenant(cluster, tenant.image)
    await doomed.set_up()
    await a_service(doomed, "four")
    for kind, name in (("Component", "four"), ("Environment", "dev"), ("DataPlane", "local")):
        await until(cluster, of(kind), name, doomed.name, held)
    await until(cluster, of("Organization"), doomed.name, "", held)

    await asyncio.gather(
        cluster.delete(of("Organization"), doomed.name),
        cluster.delete(NAMESPACES, doomed.name),
    )

    await until(cluster, of("Organization"), doomed.name, "", gone)
    await until(cluster, NAMESPACES, doomed.namespace, "", gone)
    await until(cluster, NAMESPACES, doomed.name, "", gone)
    for kind in GUARDED - {"Organization"}:
        try:
            left = await cluster.list(of(kind), doomed.name)
        except NotFound:
            continue
        assert left.items == [], kind
