"""Workers of two versions beside each other, as during an upgrade of Pavane."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.service import RPCError

from clients.kubernetes import Cluster
from tests.durability.lane import Lane, lane
from tests.durability.orders import GO, Order
from tests.durability.scenarios import SecondVersion
from tests.durability.sweep import Recorded, a_place, compared

pytestmark = [pytest.mark.durability, pytest.mark.timeout(600)]


async def become_current(own: Lane, build_id: str) -> None:
    """Routes new runs to a version as soon as the server knows its worker."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=own.name,
        deployment_name="pavane",
        build_id=build_id,
        ignore_missing_task_queues=True,
        allow_no_pollers=False,
    )
    async with asyncio.timeout(60):
        while True:
            try:
                await own.client.workflow_service.set_worker_deployment_current_version(request)
            except RPCError:
                await asyncio.sleep(0.2)
            else:
                return


async def version_of(own: Lane, workflow_id: str) -> str:
    described = await own.client.get_workflow_handle(workflow_id).describe()
    info = described.raw_description.workflow_execution_info.versioning_info
    return info.deployment_version.build_id


async def test_a_run_ends_on_the_worker_version_it_began_on_beside_a_newer_one(
    recorded: dict[str, Recorded], stack: dict[str, str], cluster: Cluster, tmp_path: Path
) -> None:
    known = recorded[SecondVersion.name]
    (apply,) = (one for one in known.points if str(one).endswith("before activity apply_release"))
    async with lane(f"durability-{os.getpid()}-versions", stack, tmp_path) as own:
        await own.start(PAVANE_WORKER__BUILD_ID="1")
        await become_current(own, "1")
        async with a_place(own, cluster) as place, asyncio.timeout(300):
            await known.scenario.before(place)
            await place.ended()
            own.arm(Order(place.name, apply, "hold"))
            await known.scenario.act(place)
            await own.carried_out(60)
            await own.start(PAVANE_WORKER__BUILD_ID="2")
            await become_current(own, "2")
            (own.folder / GO).touch()
            await place.ended()
            (workflow_id,) = place.operations

            assert await version_of(own, workflow_id) == "1"
            assert await compared(place, known.end) == []

            await place.undeploy()
            await place.ended()

            assert await version_of(own, workflow_id) == "2"
