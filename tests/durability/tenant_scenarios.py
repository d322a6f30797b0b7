"""An organization is set up, leaves a plane, a component ends: while workers are killed."""

from __future__ import annotations

import asyncio

from temporalio import activity
from temporalio.worker import Worker

from activities.common.kinds import NAMESPACES, platform
from domain import ids
from domain.deliveries import DeployRequest
from domain.deliveries.teardown import TeardownRequest
from domain.deliveries.tenants import TenantApplied, TenantPlane, TenantRequest
from domain.policies.objects import condition
from domain.policies.teardown.holds import TEARDOWN
from tests.durability.declared import COMPONENT
from tests.durability.place import BINDING, ENVIRONMENT, GOOD, Place
from tests.durability.scenario import Scenario
from tests.durability.state import State
from workflows.starting import signal_deployment
from workflows.teardown.starting import signal_teardown
from workflows.tenants.starting import signal_tenant


class SetUp(Scenario):
    name = "tenant"
    is_undone_by_cancel = False

    async def act(self, place: Place) -> None:
        access = [{"user": "ann@acme.example", "role": "developer"}]
        await place.apply("Organization", place.name, {"access": access})
        request = _wanted(place, "all")
        for _ in range(self.times):
            place.remember(await signal_tenant(place.client, request))

    def facts(self, state: State) -> None:
        namespaces = {one["metadata"]["name"] for one in state["Namespace"]}
        assert len(namespaces) == 2
        assert {one["metadata"]["name"] for one in state["plane ResourceQuota"]} == {
            "pavane-bounds"
        }
        assert any("ann@acme.example" in str(one) for one in state["plane RoleBinding"])
        assert [one["action"] for one in state["fact"]].count("tenant.set-up") == 1


class Leave(Scenario):
    """An environment moves to another plane; who removes its namespace here dies."""

    name = "leave plane"
    is_undone_by_cancel = False
    only = ("leave_namespaces", "activity record", "workflow end")

    async def before(self, place: Place) -> None:
        place.remember(await signal_tenant(place.client, _wanted(place, "here")))

    async def act(self, place: Place) -> None:
        await place.apply("DataPlane", "west", {})
        await place.apply("Environment", ENVIRONMENT, {"dataPlaneRef": "west"})
        async with Worker(place.client, task_queue=ids.plane_queue("west"), activities=[_west]):
            handle = await signal_tenant(place.client, _wanted(place, "there"))
            place.remember(handle)
            await handle.result()
        while await place.cluster.find(NAMESPACES, place.namespace) is not None:  # noqa: ASYNC110 - a test looks
            await asyncio.sleep(0.2)

    def facts(self, state: State) -> None:
        assert len(state["Namespace"]) == 1
        assert [one["action"] for one in state["fact"]].count("tenant.plane-left") == 1


@activity.defn(name="set_up_tenant_plane")
async def _west(_: TenantPlane) -> TenantApplied:
    """Another cluster, at which nobody looks here (tests/integration/planes has a real one)."""
    return TenantApplied(objects=1)


def _wanted(place: Place, wanted: str) -> TenantRequest:
    return TenantRequest(organization=place.name, wanted=wanted)


class TearDown(Scenario):
    """Does what the intake does: it asks for the end of the binding, and tells when it is gone."""

    name = "teardown"
    is_undone_by_cancel = False
    resumes = "teardown/"

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        await _delete(place)
        ending = TeardownRequest(organization=place.name, kind="Component", name=COMPONENT)
        place.remember(await signal_teardown(place.client, ending))
        await _undeployed(place)
        place.remember(await signal_teardown(place.client, ending))

    async def stopped(self, place: Place) -> list[str]:
        left = await place.cluster.get(platform("Component"), COMPONENT, place.name)
        told = condition(left, "Ready")
        said = "deletionTimestamp" in left["metadata"] and told.get("reason") == "Cancelled"
        return [] if said else [f"what is left does not tell that it was stopped: {told}"]

    def facts(self, state: State) -> None:
        for kind in ("Component", "ServiceBinding", "Workload", "Release", "plane Pod"):
            assert state[kind] == [], kind
        assert [one["action"] for one in state["fact"]].count("teardown.done") == 1


async def _delete(place: Place) -> None:
    """Deletes the component, unless somebody has."""
    kind, where = platform("Component"), place.name
    found = await place.cluster.find(kind, COMPONENT, where)
    if found is not None and "deletionTimestamp" not in found["metadata"]:
        held = {"metadata": {"finalizers": [TEARDOWN]}}
        await place.cluster.patch(kind, COMPONENT, where, held)
        await place.cluster.delete(kind, COMPONENT, where)


async def _undeployed(place: Place) -> None:
    """Asks for the end of the binding once it is being deleted, and waits until it is gone."""
    name = ids.binding_name(COMPONENT, ENVIRONMENT)
    while (binding := await place.cluster.find(BINDING, name, place.name)) is not None:
        if "deletionTimestamp" in binding["metadata"]:
            break
        await asyncio.sleep(0.1)
    else:
        return
    undeploy = DeployRequest(organization=place.name, component=COMPONENT,
                             environment=ENVIRONMENT, request_id="end")  # fmt: skip
    place.remember(await signal_deployment(place.client, undeploy))
    while await place.cluster.find(BINDING, name, place.name) is not None:  # noqa: ASYNC110 - the intake watches, a test looks
        await asyncio.sleep(0.1)


TENANTS: tuple[Scenario, ...] = (SetUp(), Leave(), TearDown())
