from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from clients.kubernetes import Cluster
from domain import ids
from intake.service import WATCHED, Intake
from tests.integration.intake.organizations import Organization, intake, requests, started

pytestmark = pytest.mark.integration


@pytest.fixture
def org(cluster: Cluster, organization: str) -> Organization:
    return Organization(cluster, organization)


async def test_build_of_a_person_starts_its_request(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.component("web")
    async with intake(cluster, temporal, org.name):
        await org.apply("Build", "try", {"componentRef": "web", "revision": {"branch": "main"}})

        status = await started(temporal, ids.build_request_id(org.name, "web", "try-1"))

    assert status is WorkflowExecutionStatus.RUNNING


async def test_new_component_asks_for_its_first_build(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    async with intake(cluster, temporal, org.name):
        await org.component("web", auto_build=True)
        await org.platform()
        async with asyncio.timeout(60):
            found: list[str] = []
            while not found:
                query = f"WorkflowId STARTS_WITH 'build-request/{org.name}/web/web-'"
                found = [one.id async for one in temporal.list_workflows(query)]

    assert len(found) == 1


async def test_binding_asks_for_each_of_its_generations_in_order(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.deployable("web")
    workflow = ids.deploy_id(org.name, "web", "dev")
    async with intake(cluster, temporal, org.name):
        binding = await org.binding("web")
        await started(temporal, workflow)
        await org.binding("web", workload={"replicas": 2})
        uid = binding["metadata"]["uid"][:8]
        wanted = [f"binding-{uid}-1", f"binding-{uid}-2"]
        assert await requests(temporal, workflow, 2) == wanted


async def test_what_changed_while_nobody_looked_is_found_at_the_start(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.deployable("web")
    await org.binding("web")

    async with intake(cluster, temporal, org.name):
        status = await started(temporal, ids.deploy_id(org.name, "web", "dev"))

    assert status is WorkflowExecutionStatus.RUNNING


async def test_restarted_intake_asks_for_the_same_request_again_and_for_no_other(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.deployable("web")
    await org.binding("web")
    workflow = ids.deploy_id(org.name, "web", "dev")
    async with intake(cluster, temporal, org.name):
        await started(temporal, workflow)
    async with intake(cluster, temporal, org.name):
        assert len(set(await requests(temporal, workflow, 2))) == 1


async def test_binding_tells_what_it_waits_for_and_goes_on_when_that_appears(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.deployable("web")
    async with intake(cluster, temporal, org.name):
        await org.binding("web", environmentRef="staging")
        waiting = await org.ready("ServiceBinding", "web-dev", lambda one: one["status"] == "False")
        assert waiting["reason"] == "ReferenceMissing"
        assert "Environment staging" in waiting["message"]

        await org.apply("Environment", "staging", {"dataPlaneRef": "local"})
        status = await started(temporal, ids.deploy_id(org.name, "web", "staging"))

    assert status is WorkflowExecutionStatus.RUNNING


async def test_conditions_follow_what_exists(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    async with intake(cluster, temporal, org.name):
        await org.apply("Environment", "dev", {"dataPlaneRef": "local"})
        waiting = await org.ready("Environment", "dev", lambda one: one["status"] == "False")
        assert "DataPlane local" in waiting["message"]

        await org.apply("DataPlane", "local", {})
        await org.ready("Environment", "dev", lambda one: one["status"] == "True")

        await cluster.delete(WATCHED["DataPlane"], "local", org.name)
        await org.ready("Environment", "dev", lambda one: one["status"] == "False")


async def test_second_process_takes_over_when_the_first_one_stops(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.deployable("web")
    first = asyncio.create_task(Intake(cluster, temporal, namespace=org.name).run())
    await org.ready("Environment", "dev", lambda one: one["status"] == "True")
    async with intake(cluster, temporal, org.name):
        first.cancel()
        await asyncio.wait({first})
        await org.binding("web")
        status = await started(temporal, ids.deploy_id(org.name, "web", "dev"))

    assert status is WorkflowExecutionStatus.RUNNING


async def test_burst_of_bindings_is_asked_for_completely(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    names = [f"web-{number}" for number in range(20)]
    async with intake(cluster, temporal, org.name):
        await asyncio.gather(*(org.deployable(name) for name in names))
        await asyncio.gather(*(org.binding(name) for name in names))
        found = await asyncio.gather(
            *(started(temporal, ids.deploy_id(org.name, name, "dev")) for name in names)
        )

    assert found == [WorkflowExecutionStatus.RUNNING] * 20


async def test_a_freeze_window_tells_that_it_began_when_nobody_changed_anything(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    async with intake(cluster, temporal, org.name), asyncio.timeout(120):
        lead = timedelta(seconds=4)
        # On a busy machine it may have begun before anybody looked: then once more, later.
        while await _told(cluster, org, lead):
            lead *= 2
        while not (await _window(cluster, org)).get("active"):  # noqa: ASYNC110 - no event here either
            await asyncio.sleep(0.05)


async def _told(cluster: Cluster, org: Organization, lead: timedelta) -> bool:
    """Makes a window that begins soon; returns whether it lasts when it is first told."""
    start = (datetime.now(UTC) + lead).strftime("%Y-%m-%dT%H:%M:%S")
    schedule = {"start": start, "duration": "12h"}
    await cluster.delete(WATCHED["FreezeWindow"], "party", org.name)
    await org.apply("FreezeWindow", "party", {"reason": "a party", "schedule": schedule})
    while "active" not in (status := await _window(cluster, org)):  # noqa: ASYNC110 - a status has no event
        await asyncio.sleep(0.05)
    return bool(status["active"])


async def _window(cluster: Cluster, org: Organization) -> dict[str, Any]:
    found = await cluster.get(WATCHED["FreezeWindow"], "party", org.name)
    status: dict[str, Any] = found.get("status") or {}
    return status


async def test_a_rotation_that_is_deleted_takes_its_timetable_along(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    spec = {"engine": "KV", "vaultPath": "shop/all/word", "cron": "0 3 * * 0"}
    schedule = temporal.get_schedule_handle(ids.rotation_id(org.name, "word"))

    async def there() -> bool:
        try:
            await schedule.describe()
        except RPCError:
            return False
        return True

    async with intake(cluster, temporal, org.name), asyncio.timeout(30):
        await org.apply("SecretRotation", "word", spec)
        while not await there():  # noqa: ASYNC110 - another process says so
            await asyncio.sleep(0.1)
        await cluster.delete(WATCHED["SecretRotation"], "word", org.name)
        while await there():  # noqa: ASYNC110 - another process says so
            await asyncio.sleep(0.1)
