"""The set-up of an organization, and the end of a component, while workers are killed."""

from __future__ import annotations

import asyncio

from activities.common.kinds import platform
from domain.deliveries import DeployRequest
from domain.deliveries.teardown import TeardownRequest
from domain.deliveries.tenants import TenantRequest
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
        request = TenantRequest(organization=place.name, wanted="all")
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


class TearDown(Scenario):
    """Does what the intake does: it asks for the end of the binding, and tells when it is gone."""

    name = "teardown"
    is_undone_by_cancel = False

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        kind, where = platform("Component"), place.name
        held = {"metadata": {"finalizers": [TEARDOWN]}}
        await place.cluster.patch(kind, COMPONENT, where, held)
        await place.cluster.delete(kind, COMPONENT, where)
        ending = TeardownRequest(organization=where, kind="Component", name=COMPONENT)
        place.remember(await signal_teardown(place.client, ending))
        name = f"{COMPONENT}-{ENVIRONMENT}"
        while True:
            binding = await place.cluster.get(BINDING, name, where)
            if "deletionTimestamp" in binding["metadata"]:
                break
            await asyncio.sleep(0.1)
        undeploy = DeployRequest(organization=where, component=COMPONENT,
                                 environment=ENVIRONMENT, request_id="end")  # fmt: skip
        place.remember(await signal_deployment(place.client, undeploy))
        while await place.cluster.find(BINDING, name, where) is not None:  # noqa: ASYNC110 - the intake watches, a test looks
            await asyncio.sleep(0.1)
        place.remember(await signal_teardown(place.client, ending))

    def facts(self, state: State) -> None:
        for kind in ("Component", "ServiceBinding", "Workload", "Release", "plane Pod"):
            assert state[kind] == [], kind
        assert [one["action"] for one in state["fact"]].count("teardown.done") == 1


TENANTS: tuple[Scenario, ...] = (SetUp(), TearDown())
