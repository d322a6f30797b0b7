"""With the rights of the stack's worker nothing of an organization stays on a plane it leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment

from activities.common.kinds import GATEWAYS, NAMESPACES
from activities.teardown.planes import TeardownPlaneActivities
from clients.kubernetes import Cluster
from clients.kubernetes.shared import SharedWatches
from devstack.state import StateDir
from domain import ids
from domain.deliveries.teardown import PlaneSweep
from domain.gateways import served
from domain.gateways.marks import listener_name
from domain.rendering.labels import ORGANIZATION
from domain.rendering.tenants.baseline import organization_denials

pytestmark = pytest.mark.e2e


@pytest.fixture
async def person(stack: dict[str, str]) -> AsyncIterator[Cluster]:
    """Somebody with every right."""
    made = await Cluster.connect(Path(stack["KUBECONFIG"]))
    yield made
    await made.close()


@pytest.fixture
async def worker(stack: dict[str, str]) -> AsyncIterator[Cluster]:
    """The stack's worker."""
    state = StateDir(Path(stack["PAVANE_AUDIT__VERIFY_KEYS"]).parent.parent)
    made = await Cluster.connect(state.config / "pavane-worker.kubeconfig")
    yield made
    await made.close()


async def listeners(person: Cluster, stack: dict[str, str]) -> list[dict[str, Any]]:
    place = stack["PAVANE_GATEWAY__NAME"], stack["PAVANE_GATEWAY__NAMESPACE"]
    found: list[dict[str, Any]] = (await person.get(GATEWAYS, *place))["spec"]["listeners"]
    return found


async def test_policies_of_the_whole_cluster_and_listeners_go_with_the_organization(
    stack: dict[str, str], person: Cluster, worker: Cluster
) -> None:
    name = f"t-{uuid4().hex[:8]}"
    namespace = ids.namespace(name, "shop", "dev")
    space: dict[str, Any] = {"apiVersion": "v1", "kind": "Namespace"}
    await person.create({**space, "metadata": {"name": namespace, "labels": {ORGANIZATION: name}}})
    own, others = organization_denials(name), organization_denials(f"{name}-other")
    for policy in (own, others):
        await worker.apply(policy)
    wanted = served.Served(
        organization=name,
        project="shop",
        environment="dev",
        namespace=namespace,
        gateway=stack["PAVANE_GATEWAY__NAME"],
        gateway_namespace=stack["PAVANE_GATEWAY__NAMESPACE"],
        hostname=f"*.shop.{name}.dev.localhost",
        names=(),
    )
    gateway = await person.get(GATEWAYS, wanted.gateway, wanted.gateway_namespace)
    port = served.port_of(gateway, wanted)
    manager = served.manager_of(namespace)
    await worker.apply(served.listener(wanted, port), manager=manager, force=True)
    before = await listeners(person, stack)

    sweep = PlaneSweep(
        organization=name, plane="local", task_queue="plane.local",
        namespaces=(namespace,), admission=True,
    )  # fmt: skip
    watches = SharedWatches(worker)
    for _ in range(2):
        await ActivityEnvironment().run(TeardownPlaneActivities(worker, watches).sweep_plane, sweep)
    await watches.close()

    kind = await person.kind_of(own["apiVersion"], own["kind"])
    assert await person.find(kind, own["metadata"]["name"]) is None
    assert await person.find(kind, others["metadata"]["name"]) is not None
    after = await listeners(person, stack)
    names = [{one["name"] for one in each} for each in (before, after)]
    assert [listener_name(namespace) in each for each in names] == [True, False]
    assert {"web", "tls"} <= names[1]
    await person.delete(kind, others["metadata"]["name"])
    await person.delete(NAMESPACES, namespace)
