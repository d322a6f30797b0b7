from __future__ import annotations

from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.worker import Worker

from domain import ids
from tests import servers

pytestmark = pytest.mark.workflows

_BURST = 30


@workflow.defn(name="TakesATurn")
class TakesATurn:
    @workflow.run
    async def run(self, place: str) -> None:
        _TAKEN.append(place)


_TAKEN: list[str] = []


async def test_a_burst_of_one_organization_holds_up_no_other_one(temporal_program: Path) -> None:
    places = [ids.deploy_id("crowded", f"web-{one}", "dev") for one in range(_BURST)]
    places.append(ids.deploy_id("quiet", "web", "dev"))
    async with servers.temporal_server(temporal_program, partitions=1, fair=True) as client:
        started = [
            await client.start_workflow(TakesATurn.run, place, id=place, task_queue="turns")
            for place in places
        ]

        async with Worker(
            client,
            task_queue="turns",
            workflows=[TakesATurn],
            max_concurrent_workflow_tasks=1,
            max_cached_workflows=0,
        ):
            for one in started:
                await one.result()

    assert sorted(_TAKEN) == sorted(places)
    assert _TAKEN.index(places[-1]) < _BURST // 2
