"""What promotions, approvals and rollbacks stand on is away."""

from __future__ import annotations

import asyncio

import pytest

from devstack import faults
from devstack.state import StateDir
from tests.faults.breaking import fault
from tests.faults.organization import Organization
from tests.faults.people import PATIENCE, Operation, runs, told
from tests.faults.promises import promise

pytestmark = pytest.mark.faults


async def waits_for_approval(org: Organization) -> str:
    """A promotion to a second environment that a person must agree to; returns the operation."""
    await org.deployed("hello")
    await org.mine("Environment", "production", {"dataPlaneRef": "local"})
    target = {"name": "production", "approval": {"quorum": 1, "allowRequester": True}}
    path = {"sourceEnvironmentRef": "development", "targetEnvironmentRefs": [target]}
    await org.mine("DeploymentPipeline", "pipeline", {"promotionPaths": [path]})
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
