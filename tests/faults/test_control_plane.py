"""The servers the platform itself stands on are away: API server, etcd, Temporal, the worker."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from devstack import faults
from devstack.state import StateDir
from tests.faults.breaking import fault
from tests.faults.organization import Organization
from tests.faults.outcomes import DEPLOYED_ONCE, deployed_once
from tests.faults.promises import promise

pytestmark = pytest.mark.faults
ANSWERED, REFUSED = 200, 503
FOR_A_MOMENT = "everything as before, or 503 for the moment of the restart"


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
    retried="all steps of running procedures",
    ends=DEPLOYED_ONCE,
    limit=300,
)
async def test_rollout_outlives_an_api_server_that_is_down(
    broken: StateDir, org: Organization, rollout: str, artifact: str
) -> None:
    async with fault(broken, "api-server-down"):
        problem = await refusal(org, "/v1/deployments", order(org, artifact))
    done = await org.person.ended(rollout)

    assert problem["type"] == "urn:pavane:problem:DependencyUnavailable"
    assert "no answer from the API server" in str(problem["detail"])
    await deployed_once(org, done)


@promise(
    "API server killed",
    "api-server-killed",
    sees=FOR_A_MOMENT,
    retried="all steps of running procedures",
    ends=DEPLOYED_ONCE,
    limit=300,
)
async def test_rollout_outlives_a_killed_api_server(
    broken: StateDir, org: Organization, rollout: str
) -> None:
    await faults.begin(broken, "api-server-killed")
    done = await org.person.ended(rollout)

    assert org.person.answers <= {ANSWERED, REFUSED}
    await deployed_once(org, done)


@promise(
    "etcd restarted",
    "etcd-killed",
    sees=FOR_A_MOMENT,
    retried="all steps of running procedures",
    ends=DEPLOYED_ONCE,
    cheap=True,
)
async def test_rollout_outlives_a_restart_of_etcd(
    broken: StateDir, org: Organization, rollout: str
) -> None:
    await faults.begin(broken, "etcd-killed")
    done = await org.person.ended(rollout)

    assert org.person.answers <= {ANSWERED, REFUSED}
    await deployed_once(org, done)


@promise(
    "Temporal restarted",
    "temporal-killed",
    sees=FOR_A_MOMENT,
    retried="the worker connects again by itself",
    ends=DEPLOYED_ONCE,
    cheap=True,
)
async def test_rollout_outlives_a_restart_of_temporal(
    broken: StateDir, org: Organization, rollout: str
) -> None:
    await faults.begin(broken, "temporal-killed")
    done = await org.person.ended(rollout)

    assert org.person.answers <= {ANSWERED, REFUSED}
    await deployed_once(org, done)


@promise(
    "Temporal down",
    "temporal-down",
    sees="orders are refused with 503 `Temporal does not answer`; nothing is half accepted",
    retried="the intake keeps changed resources and asks for them afterwards",
    ends="a binding changed during the outage is deployed without another word",
    limit=300,
)
async def test_binding_changed_while_temporal_is_down_is_deployed_afterwards(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    async with fault(broken, "temporal-down"):
        problem = await refusal(org, "/v1/deployments", order(org, artifact))
        bound = await org.seen.bindings()
        await org.bind(artifact)
    async with asyncio.timeout(120):
        while await org.seen.running() != ["hello"]:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.5)
        while "Succeeded" not in await org.seen.recorded():  # noqa: ASYNC110 - nor of the record
            await asyncio.sleep(0.5)

    assert problem["type"] == "urn:pavane:problem:DependencyUnavailable"
    assert "Temporal does not answer" in str(problem["detail"])
    assert bound == []
    assert await org.seen.recorded() == ["Succeeded"]
    assert await org.seen.rollouts() == {"web": "1"}


@promise(
    "Worker stands still",
    "worker-frozen",
    sees="`no worker answers: the steps are not known at the moment`",
    retried="what it was doing, by itself or by another worker",
    ends=DEPLOYED_ONCE,
    limit=300,
)
async def test_deployment_outlives_a_frozen_worker(
    broken: StateDir, org: Organization, rollout: str
) -> None:
    async with fault(broken, "worker-frozen"):
        shown = await org.person.sees(rollout, lambda seen: seen["note"])
    done = await org.person.ended(rollout)

    assert shown["note"] == "no worker answers: the steps are not known at the moment"
    await deployed_once(org, done)


@promise(
    "No worker runs",
    "worker-down",
    sees="503 `no worker took the order in time; it may still be carried out`; the operation "
    "is listed and says that no worker answers",
    retried="the order stands: a worker that starts takes it",
    ends=DEPLOYED_ONCE,
    limit=300,
)
async def test_order_given_while_no_worker_runs_is_carried_out_later(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    async with fault(broken, "worker-down"):
        problem = await refusal(org, "/v1/deployments", order(org, artifact))
        operation = f"deploy/{org.name}/web/development"
        shown = await org.person.sees(operation, lambda seen: seen["note"])
        listed = await org.person.listed(org.name)
    done = await org.person.ended(operation)

    assert "no worker took the order in time" in str(problem["detail"])
    assert [one for one in listed if one.startswith(f"{operation}/")]
    assert "may still be carried out" in str(problem["detail"])
    assert "no worker answers" in shown["note"]
    await deployed_once(org, done)
