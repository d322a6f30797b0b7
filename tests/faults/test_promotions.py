"""What promotions, approvals and rollbacks stand on is away."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from devstack import faults
from devstack.state import StateDir
from tests.faults.breaking import fault
from tests.faults.organization import Organization
from tests.faults.people import PATIENCE, Operation, runs, told
from tests.faults.promises import promise

pytestmark = pytest.mark.faults
PRODUCTION = "production"
SETTLE = 8
"""Seconds a pod must be ready: the fault comes before the rollout is over."""


async def leads_on(org: Organization, **rules: Any) -> None:
    """There is a second environment, with these rules of the step that leads there."""
    await org.mine("Environment", PRODUCTION, {"dataPlaneRef": "local"})
    target = {"name": PRODUCTION, **rules}
    path = {"sourceEnvironmentRef": "development", "targetEnvironmentRefs": [target]}
    await org.mine("DeploymentPipeline", "pipeline", {"promotionPaths": [path]})


async def rolls_out(org: Organization, component: str) -> None:
    """Returns when the pods of a component are waited for in the second environment."""
    await org.person.sees(f"deploy/{org.name}/{component}/{PRODUCTION}", runs("rollout"))


async def waits_for_approval(org: Organization) -> str:
    """A promotion to a second environment that a person must agree to; returns the operation."""
    await org.deployed("hello")
    await leads_on(org, approval={"quorum": 1, "allowRequester": True})
    order = {"organization": org.name, "component": "web", "environment": "production"}
    operation = str((await org.person.post("/v1/promotions", order))["id"])
    await org.person.sees(operation, runs("approval"))
    return operation


async def agreed(org: Organization, operation: str) -> Operation:
    """Agrees to what is asked, and returns the promotion when it has ended."""
    path = f"/v1/approvals/promotion/{org.name}/web/production"
    async with asyncio.timeout(PATIENCE):
        while not (answer := await org.person.client.get(path)).is_success:  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.2)
    asked = answer.json()
    decision = {"decision": "approve", "hash": asked["hash"], "round": asked["round"]}
    await org.person.post(f"{path}/decision", decision)
    done = await org.person.ended(operation)
    assert done["phase"] == "Succeeded", told(done)
    place = f"/v1/promotions/{org.name}/web/production"
    return dict((await org.person.client.get(place)).json())


@promise(
    "Temporal restarted while an approval is waited for",
    "temporal-killed",
    sees="the step `approval`, as before; or 503 for the moment of the restart",
    retried="the worker connects again by itself",
    ends="a decision counts once, and exactly what was agreed to is deployed",
    limit=300,
)
async def test_approval_outlives_a_restart_of_temporal(broken: StateDir, org: Organization) -> None:
    operation = await waits_for_approval(org)
    await faults.begin(broken, "temporal-killed")
    shown = await org.person.sees(operation, runs("approval"))
    promotion = await agreed(org, operation)

    assert "approval" in shown["waitingFor"]["what"]
    assert (promotion["phase"], len(promotion["approvedBy"])) == ("Succeeded", 1)


@promise(
    "Registry, Git and Argo down, all at once, and a rollback is asked for",
    "registry-down",
    "git-down",
    "argo-down",
    sees="the steps of the rollback, as without the fault",
    ends="what ran before runs again, with the configuration it had",
    limit=300,
)
async def test_rollback_needs_neither_registry_nor_git_nor_argo(
    broken: StateDir, org: Organization
) -> None:
    await org.deployed("hello")
    await org.deployed("bye")
    order = {"organization": org.name, "component": "web", "environment": "development"}
    async with (
        fault(broken, "registry-down"),
        fault(broken, "git-down"),
        fault(broken, "argo-down"),
    ):
        accepted = await org.person.post("/v1/rollbacks", {**order, "reason": "it says bye"})
        done = await org.person.ended(str(accepted["id"]))
        running = await org.seen.running()

    assert done["phase"] == "Succeeded", told(done)
    assert running == ["hello"]


@promise(
    "API server down while a promotion rolls out",
    "api-server-down",
    sees="503 `DependencyUnavailable` from the API; the promotion itself goes on",
    retried="all steps of running procedures",
    ends="the promotion succeeds: exactly what ran in the source, rolled out once",
    limit=300,
)
async def test_promotion_outlives_an_api_server_that_is_down_during_its_rollout(
    broken: StateDir, org: Organization
) -> None:
    await org.service_class(settle=SETTLE)
    await org.deployed("hello")
    await leads_on(org)
    order = {"organization": org.name, "component": "web", "environment": PRODUCTION}
    operation = str((await org.person.post("/v1/promotions", order))["id"])
    await rolls_out(org, "web")
    async with fault(broken, "api-server-down"):
        answer = await org.person.client.post("/v1/promotions", json=order)
    done = await org.person.ended(operation)

    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
    assert done["phase"] == "Succeeded", told(done)
    there = org.seen.at(PRODUCTION)
    assert await there.running() == ["hello"]
    assert await there.rollouts() == {"web": "1"}
    assert await org.seen.recorded() == ["Succeeded", "Succeeded"]


@promise(
    "Temporal restarted while a member of a release set rolls out",
    "temporal-killed",
    sees="the members and how far they are; or 503 for the moment of the restart",
    retried="the worker connects again by itself",
    ends="the set comes whole, in its order, and each member is rolled out once",
    limit=400,
)
async def test_release_set_outlives_a_restart_of_temporal_during_a_rollout(
    broken: StateDir, org: Organization
) -> None:
    await org.service_class(settle=SETTLE)
    other = await org.with_component("api")
    for one in (org, other):
        await one.deployed("hello")
    await leads_on(org)
    members = [{"component": "web"}, {"component": "api", "after": ["web"]}]
    order = {"organization": org.name, "name": "shop", "environment": PRODUCTION}
    accepted = await org.person.post("/v1/sets", {**order, "members": members})
    await rolls_out(org, "web")
    await faults.begin(broken, "temporal-killed")
    done = await org.person.ended(str(accepted["id"]))

    assert done["phase"] == "Succeeded", told(done)
    assert [one["phase"] for one in done["result"]["members"]] == ["Done", "Done"], told(done)
    there = org.seen.at(PRODUCTION)
    assert await there.running() == ["hello", "hello"]
    assert await there.rollouts() == {"web": "1", "api": "1"}
    assert await org.seen.recorded() == ["Succeeded"] * 4
