"""The servers the platform itself stands on are away: API server, etcd, Temporal, the worker."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from devstack import faults
from devstack.state import StateDir
from tests.faults.promises import promise
from tests.faults.test_plane import ONCE, made_once
from tests.faults.world import Organization, fault, runs

pytestmark = pytest.mark.faults
REFUSED = 503


async def refusal(org: Organization, path: str, body: object = None) -> dict[str, object]:
    """The problem document of an order that cannot be taken."""
    answer: httpx.Response
    if body is None:
        answer = await org.person.client.get(path)
    else:
        answer = await org.person.client.post(path, json=body)
    assert answer.status_code == REFUSED, (answer.status_code, answer.text)
    assert answer.headers["Retry-After"]
    return dict(answer.json())


def order(org: Organization, artifact: str) -> dict[str, str]:
    return {
        "organization": org.name,
        "component": "web",
        "environment": "development",
        "artifact": artifact,
    }


@promise(
    "API server down",
    "api-server-down",
    sees="the API answers 503 `DependencyUnavailable: … no answer from the API server` with "
    "Retry-After; what runs goes on",
    retried="all steps of running procedures; the intake lists everything again",
    ends=ONCE,
    limit=300,
)
async def test_rollout_outlives_an_api_server_that_is_down(
    broken: StateDir, org: Organization
) -> None:
    await org.service_class(settle=5)
    artifact = await org.workload()
    operation = await org.deploy(artifact)
    await org.person.sees(operation, runs("rollout"))
    async with fault(broken, "api-server-down"):
        problem = await refusal(org, "/v1/deployments", order(org, artifact))
    done = await org.person.ended(operation)

    assert problem["type"] == "urn:pavane:problem:DependencyUnavailable"
    await made_once(org, done)


@promise(
    "API server killed",
    "api-server-killed",
    sees="503 from the API for the seconds of the restart",
    retried="all steps of running procedures",
    ends=ONCE,
    limit=300,
)
async def test_rollout_outlives_a_killed_api_server(broken: StateDir, org: Organization) -> None:
    await org.service_class(settle=5)
    operation = await org.deploy(await org.workload())
    await org.person.sees(operation, runs("rollout"))
    await faults.begin(broken, "api-server-killed")
    done = await org.person.ended(operation)

    await made_once(org, done)


@promise(
    "etcd restarted",
    "etcd-killed",
    sees="503 from the API for the moment of the restart",
    retried="all steps of running procedures",
    ends=ONCE,
    cheap=True,
)
async def test_rollout_outlives_a_restart_of_etcd(broken: StateDir, org: Organization) -> None:
    await org.service_class(settle=4)
    operation = await org.deploy(await org.workload())
    await org.person.sees(operation, runs("rollout"))
    await faults.begin(broken, "etcd-killed")
    done = await org.person.ended(operation)

    await made_once(org, done)


@promise(
    "Temporal restarted",
    "temporal-killed",
    sees="503 `Temporal does not answer` for the moment of the restart",
    retried="the worker connects again; what it had done is reported late or done again",
    ends=ONCE,
    cheap=True,
)
async def test_rollout_outlives_a_restart_of_temporal(broken: StateDir, org: Organization) -> None:
    await org.service_class(settle=4)
    operation = await org.deploy(await org.workload())
    await org.person.sees(operation, runs("rollout"))
    await faults.begin(broken, "temporal-killed")
    done = await org.person.ended(operation)

    await made_once(org, done)


@promise(
    "Temporal down",
    "temporal-down",
    sees="orders are refused with 503 `Temporal does not answer`; nothing is half accepted",
    retried="the intake keeps changed resources and asks for them afterwards",
    ends="a binding changed during the outage is deployed without another word",
    limit=300,
)
async def test_binding_changed_while_temporal_is_down_is_deployed_afterwards(
    broken: StateDir, org: Organization
) -> None:
    artifact = await org.workload()
    async with fault(broken, "temporal-down"):
        problem = await refusal(org, "/v1/deployments", order(org, artifact))
        await org.bind(artifact)
    async with asyncio.timeout(120):
        while await org.running() != ["hello"]:  # noqa: ASYNC110 - the cluster has no event for us
            await asyncio.sleep(0.5)
        while await org.recorded() != {"Succeeded"}:  # noqa: ASYNC110 - nor has the record
            await asyncio.sleep(0.5)

    assert problem["type"] == "urn:pavane:problem:DependencyUnavailable"
    assert await org.rollouts() == {"web": "1"}


@promise(
    "Worker stands still",
    "worker-frozen",
    sees="`no worker answers: the steps are not known at the moment`",
    retried="what it was doing, by itself or another worker, once its heartbeat is missed for 30 s",
    ends=ONCE,
    limit=300,
)
async def test_deployment_outlives_a_frozen_worker(broken: StateDir, org: Organization) -> None:
    await org.service_class(settle=4)
    operation = await org.deploy(await org.workload())
    await org.person.sees(operation, runs("rollout"))
    async with fault(broken, "worker-frozen"):
        shown = await org.person.sees(operation, lambda seen: seen["note"])
    done = await org.person.ended(operation)

    assert "no worker answers" in shown["note"]
    await made_once(org, done)


@promise(
    "No worker runs",
    "worker-down",
    sees="503 `no worker took the order in time; it may still be carried out`; the operation "
    "is listed and says that no worker answers",
    retried="the order stands: a worker that starts takes it",
    ends=ONCE,
    limit=300,
)
async def test_order_given_while_no_worker_runs_is_carried_out_later(
    broken: StateDir, org: Organization
) -> None:
    artifact = await org.workload()
    async with fault(broken, "worker-down"):
        problem = await refusal(org, "/v1/deployments", order(org, artifact))
        operation = f"deploy/{org.name}/web/development"
        shown = await org.person.sees(operation, lambda seen: seen["note"])
    done = await org.person.ended(operation)

    assert "may still be carried out" in str(problem["detail"])
    assert "no worker answers" in shown["note"]
    await made_once(org, done)
