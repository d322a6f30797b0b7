"""The records database cannot be written, or the worker's clock is wrong."""

from __future__ import annotations

import pytest

from devstack.state import StateDir
from tests.faults.breaking import fault
from tests.faults.organization import Organization
from tests.faults.outcomes import DEPLOYED_ONCE, deployed_once
from tests.faults.people import retrying, runs, told, tried_for_two_hours, waits
from tests.faults.promises import promise

pytestmark = pytest.mark.faults
RETRIED = "the step, with growing pauses up to 30 s, for two hours"


async def history(org: Organization) -> list[str]:
    """How the deployments in the history ended; it is read from the records database."""
    answer = await org.person.client.get("/v1/history", params={"organization": org.name})
    assert answer.is_success, answer.text
    return [one["phase"] for one in answer.json()["items"]]


@promise(
    "Records database locked by another process",
    "records-locked",
    sees="the step, its attempt, `DependencyUnavailable: records database … database is locked`; "
    "the history can be read",
    retried=RETRIED,
    ends=DEPLOYED_ONCE + " and stands in the history",
    limit=300,
)
async def test_deployment_waits_until_the_records_can_be_written(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    async with fault(broken, "records-locked"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, waits)
        meanwhile = await history(org)
    done = await org.person.ended(operation)

    (retry,) = retrying(shown)
    assert retry["type"] == "DependencyUnavailable"
    assert "database is locked" in retry["message"], told(shown)
    tried_for_two_hours(retry)
    assert meanwhile == []
    await deployed_once(org, done)
    assert "Succeeded" in await history(org)


@promise(
    "Clock of the worker two hours ahead, then jumping back",
    "worker-clock",
    sees="the step `rollout`, tried again as its worker is started anew",
    ends="deadlines go by Temporal's time: the deployment goes on and is made once",
    limit=300,
)
async def test_rollout_goes_by_the_time_of_temporal_and_not_of_the_worker(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    await org.service_class(settle=30)
    operation = await org.deploy(artifact)
    await org.person.sees(operation, runs("rollout"))
    async with fault(broken, "worker-clock"):
        done, retried = await org.person.followed(operation)
    await deployed_once(org, done)
    again = await org.person.ended(await org.deploy(await org.workload("bye")))

    assert all(one["what"].startswith("await ready pods") for one in retried)
    assert again["phase"] == "Succeeded", told(again)
    assert await org.seen.running() == ["bye"]
