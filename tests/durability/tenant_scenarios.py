"""The set-up of an organization while its workers are killed."""

from __future__ import annotations

from domain.deliveries.tenants import TenantRequest
from tests.durability.place import Place
from tests.durability.scenario import Scenario
from tests.durability.state import State
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


TENANTS: tuple[Scenario, ...] = (SetUp(),)
