from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from domain.deliveries.parking import Choice, Resolution
from domain.deliveries.tenants import TenantLeaving, TenantRequest
from domain.errors import Conflict, Errored
from domain.phases import Phase
from tests.workflows.tenanting import TenantWorld, tenant_workers
from workflows.tenants.starting import signal_tenant
from workflows.tenants.tenant import TenantWorkflow

pytestmark = pytest.mark.workflows


@pytest.fixture
async def tenants(temporal: Client) -> AsyncIterator[TenantWorld]:
    world = TenantWorld()
    async with tenant_workers(temporal, world):
        yield world


def request(organization: str, wanted: str = "one") -> TenantRequest:
    return TenantRequest(organization=organization, wanted=wanted)


async def until(holds: Any) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - what is looked at tells nobody that it changed
            await asyncio.sleep(0.02)


async def test_an_organization_is_told_to_be_set_up_when_all_its_planes_are(
    temporal: Client, tenants: TenantWorld, organization: str
) -> None:
    done = await (await signal_tenant(temporal, request(organization))).result()

    first, last = tenants.all("record_tenant")[-2:]
    assert (first.setup, last.setup) == ("", "one")
    assert {one.type: one.holds for one in first.conditions}["Planes"] is False
    assert all(one.holds for one in last.conditions)
    assert "tenant.set-up" in tenants.actions()
    assert done.planes == ("local",)


async def test_what_environments_left_goes_when_their_new_places_are_there(
    temporal: Client, tenants: TenantWorld, organization: str
) -> None:
    left = TenantLeaving(
        organization=organization,
        plane="old",
        task_queue="plane.local",
        namespaces=("acme-shop-dev", "acme-shop-qa has Pod data"),
    )
    tenants.leaving = (left,)
    await (await signal_tenant(temporal, request(organization))).result()

    done = tenants.names()
    assert done.index("leave_namespaces") > done.index("set_up_tenant_plane")
    looked, removed = tenants.all("leave_namespaces")
    assert (looked.look, removed.look) == (True, False)
    assert removed.namespaces == ("acme-shop-dev",)
    (fact,) = [
        one
        for batch in tenants.all("record")
        for one in batch.facts
        if one.action == "tenant.plane-left"
    ]
    assert fact.message == "old: removed acme-shop-dev, kept acme-shop-qa has Pod data"


async def test_a_right_is_taken_away_while_a_plane_is_away(
    temporal: Client, tenants: TenantWorld, organization: str
) -> None:
    tenants.planes = ("away", "local")
    handle = await signal_tenant(temporal, request(organization))
    await until(lambda: len(tenants.all("set_up_tenant_plane")) == 1)

    await signal_tenant(temporal, request(organization, "two"))

    await until(lambda: len(tenants.all("set_up_tenant_plane")) == 2)
    assert len(tenants.all("set_up_tenant")) == 2
    assert tenants.all("plan_tenant")[-1].wanted == "two"
    status = await handle.query(TenantWorkflow.status)
    assert status.waiting_for is not None
    assert "away" in status.waiting_for.what
    assert status.phase is Phase.RUNNING
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()


async def test_what_is_refused_is_told_with_its_reason(
    temporal: Client, tenants: TenantWorld, organization: str
) -> None:
    async def refuses(_: object) -> None:
        raise Conflict("namespace acme is of others", facts={"reason": "NamespaceTaken"})

    tenants.behaviours["plan_tenant"] = refuses
    with pytest.raises(WorkflowFailureError) as failed:
        await (await signal_tenant(temporal, request(organization))).result()

    assert isinstance(failed.value.cause, ApplicationError)
    (condition,) = tenants.all("record_tenant")[-1].conditions
    assert (condition.type, condition.reason) == ("Namespace", "NamespaceTaken")
    assert tenants.actions() == ["tenant.failed"]


async def test_a_technical_fault_waits_for_a_person_and_goes_on(
    temporal: Client, tenants: TenantWorld, organization: str
) -> None:
    async def faults(_: object) -> None:
        raise Errored("etcd is full")

    tenants.behaviours["set_up_tenant"] = faults
    handle = await signal_tenant(temporal, request(organization))
    await until(lambda: "tenant.parked" in tenants.actions())
    del tenants.behaviours["set_up_tenant"]

    await handle.execute_update(
        TenantWorkflow.resolve, Resolution(choice=Choice.RETRY, reason="etcd has room", actor="ada")
    )

    assert (await handle.result()).planes == ("local",)
    assert tenants.actions()[-1] == "tenant.set-up"


async def test_what_a_person_gives_up_is_told_on_the_organization(
    temporal: Client, tenants: TenantWorld, organization: str
) -> None:
    async def faults(_: object) -> None:
        raise Errored("etcd is full")

    tenants.behaviours["set_up_tenant_plane"] = faults
    handle = await signal_tenant(temporal, request(organization))
    await until(lambda: "tenant.parked" in tenants.actions())

    await handle.execute_update(
        TenantWorkflow.resolve,
        Resolution(choice=Choice.COMPENSATE, reason="not today", actor="ada"),
    )

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.message == "etcd is full"
    (condition,) = tenants.all("record_tenant")[-1].conditions
    assert (condition.holds, condition.message) == (False, "etcd is full")


async def test_a_fault_of_what_is_not_wanted_any_more_asks_nobody(
    temporal: Client, tenants: TenantWorld, organization: str
) -> None:
    async def faults(_: object) -> None:
        if tenants.all("set_up_tenant")[1:]:
            return
        await signal_tenant(temporal, request(organization, "two"))
        raise Errored("etcd is full")

    tenants.behaviours["set_up_tenant"] = faults

    await (await signal_tenant(temporal, request(organization))).result()

    assert tenants.all("record_tenant")[-1].setup == "two"
    assert "tenant.parked" not in tenants.actions()


async def test_a_change_ends_the_wait_for_a_person(
    temporal: Client, tenants: TenantWorld, organization: str
) -> None:
    async def faults(_: object) -> None:
        raise Errored("etcd is full")

    tenants.behaviours["set_up_tenant"] = faults
    handle = await signal_tenant(temporal, request(organization))
    await until(lambda: "tenant.parked" in tenants.actions())
    del tenants.behaviours["set_up_tenant"]

    await signal_tenant(temporal, request(organization, "two"))

    await handle.result()
    assert tenants.all("record_tenant")[-1].setup == "two"


async def test_a_cancel_keeps_what_is_set_up_and_is_written_down(
    temporal: Client, tenants: TenantWorld, organization: str
) -> None:
    begun = asyncio.Event()

    async def waits(_: object) -> None:
        begun.set()
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)

    tenants.behaviours["set_up_tenant_plane"] = waits
    handle = await signal_tenant(temporal, request(organization))
    await begun.wait()
    await handle.cancel(reason="ada: wrong organization")

    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()
    assert isinstance(ended.value.cause, CancelledError)
    assert tenants.actions() == ["tenant.cancelled"]
    status = await handle.query(TenantWorkflow.status)
    assert status.phase is Phase.CANCELLED


async def test_an_organization_that_is_gone_is_left_alone(
    temporal: Client, tenants: TenantWorld, organization: str
) -> None:
    tenants.gone = True

    await (await signal_tenant(temporal, request(organization))).result()

    assert tenants.names() == ["plan_tenant"]
