"""The way between the worker and the plane's API server is broken."""

from __future__ import annotations

import pytest

from devstack import faults
from devstack.state import StateDir
from tests.faults.promises import promise
from tests.faults.world import Organization, fault, retrying, runs, told

pytestmark = pytest.mark.faults
RETRIED = "every step, with growing pauses up to 30 s, for two hours"
ONCE = "the deployment goes on by itself and is made once"


@promise(
    "Network between worker and plane cut",
    "plane-cut",
    sees="the step, its attempt, `DependencyUnavailable: … no answer from the API server`, and "
    "when it is tried next",
    retried=RETRIED,
    ends=ONCE,
    cheap=True,
)
async def test_deployment_waits_out_a_cut_network_and_is_made_once(
    broken: StateDir, org: Organization
) -> None:
    artifact = await org.workload()
    async with fault(broken, "plane-cut"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, lambda seen: retrying(seen, "render web"))
    done = await org.person.ended(operation)

    (retry,) = retrying(shown)
    assert retry["type"] == "DependencyUnavailable"
    assert "no answer from the API server" in retry["message"]
    await made_once(org, done)


@promise(
    "Plane's API server answers 429",
    "plane-busy",
    sees="the step, its attempt, `RateLimited: … too many requests`",
    retried="after the time the server asks for (Retry-After)",
    ends=ONCE,
    cheap=True,
)
async def test_deployment_comes_back_when_the_plane_asks_to(
    broken: StateDir, org: Organization
) -> None:
    artifact = await org.workload()
    async with fault(broken, "plane-busy"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, retrying)
    done = await org.person.ended(operation)

    assert {one["type"] for one in retrying(shown)} == {"RateLimited"}
    await made_once(org, done)


@promise(
    "Plane's API server answers 409 to every change",
    "plane-conflicts",
    sees="the step, its attempt, `DependencyUnavailable: … others write it all the time`",
    retried="changes that depend on no version of the object; field conflicts are not",
    ends=ONCE,
    cheap=True,
)
async def test_deployment_repeats_changes_that_lost_a_race(
    broken: StateDir, org: Organization
) -> None:
    artifact = await org.workload()
    async with fault(broken, "plane-conflicts"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, retrying)
    done = await org.person.ended(operation)

    (retry,) = retrying(shown)
    assert retry["type"] == "DependencyUnavailable"
    assert "others write it all the time" in retry["message"]
    await made_once(org, done)


@promise(
    "Plane's API server answers 500",
    "plane-broken",
    sees="the step, its attempt, `DependencyUnavailable: … the API server answered 500`",
    retried=RETRIED,
    ends=ONCE,
)
async def test_deployment_waits_out_a_server_with_a_fault_of_its_own(
    broken: StateDir, org: Organization
) -> None:
    artifact = await org.workload()
    async with fault(broken, "plane-broken"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, retrying)
    done = await org.person.ended(operation)

    (retry,) = retrying(shown)
    assert "answered 500" in retry["message"]
    await made_once(org, done)


@promise(
    "Plane's API server takes requests and never answers",
    "plane-silent",
    sees="the step, its attempt, that it got no answer in time",
    retried="each try is given up after 30 s (writes: 45 s), then as above",
    ends=ONCE,
    limit=300,
)
async def test_deployment_gives_up_a_request_that_is_never_answered(
    broken: StateDir, org: Organization
) -> None:
    artifact = await org.workload()
    async with fault(broken, "plane-silent"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, lambda seen: retrying(seen, "render web"))
    done = await org.person.ended(operation)

    assert retrying(shown)[0]["attempt"] > 1
    await made_once(org, done)


@promise(
    "Plane's API server slow (2 s an answer)",
    "plane-slow",
    sees="the steps, each taking longer",
    ends="the deployment is made once, later",
    limit=300,
)
async def test_deployment_on_a_slow_plane_is_only_slow(broken: StateDir, org: Organization) -> None:
    artifact = await org.workload()
    async with fault(broken, "plane-slow"):
        done = await org.person.ended(await org.deploy(artifact))

    await made_once(org, done)


@promise(
    "Watch expired (410) during a rollout",
    "watch-expired",
    sees="nothing: the objects are listed again at once",
    ends="the rollout is followed to its end",
    cheap=True,
)
async def test_rollout_is_followed_past_an_expired_watch(
    broken: StateDir, org: Organization
) -> None:
    await org.service_class(settle=4)
    operation = await org.deploy(await org.workload())
    await org.person.sees(operation, runs("rollout"))
    await faults.begin(broken, "watch-expired")
    done = await org.person.ended(operation)

    await made_once(org, done)


@promise(
    "Plane out of reach for longer than the deadline of a rollout",
    "plane-cut",
    sees="the step `rollout`, its attempt, `DependencyUnavailable`: no verdict on what is not seen",
    retried="following the rollout, with a fresh deadline",
    ends="pods that became ready meanwhile make a successful deployment",
)
async def test_rollout_nobody_could_see_is_no_failed_rollout(
    broken: StateDir, org: Organization
) -> None:
    await org.service_class(settle=5, deadline=15)
    operation = await org.deploy(await org.workload())
    await org.person.sees(operation, runs("rollout"))
    async with fault(broken, "plane-cut"):
        shown = await org.person.sees(operation, lambda seen: retrying(seen, "await ready pods"))
    done = await org.person.ended(operation)

    assert retrying(shown)[0]["type"] == "DependencyUnavailable"
    await made_once(org, done)


@promise(
    "Deployment cancelled while the plane is out of reach",
    "plane-cut",
    sees="phase `Running` with what is undone and tried again; then `Cancelled`",
    retried="every undo, until it is done",
    ends="what was applied is removed; nothing of the cancelled release is left",
)
async def test_cancel_during_a_cut_undoes_everything_afterwards(
    broken: StateDir, org: Organization
) -> None:
    await org.service_class(settle=5)
    operation = await org.deploy(await org.workload())
    await org.person.sees(operation, runs("rollout"))
    async with fault(broken, "plane-cut"):
        await org.person.post(f"/v1/operations/{operation}/cancel", {"reason": "by mistake"})
        await org.person.sees(operation, lambda seen: retrying(seen, "apply nothing"))
    done = await org.person.ended(operation)

    assert done["phase"] == "Cancelled", told(done)
    assert await org.rollouts() == {}


async def made_once(org: Organization, done: dict[str, object]) -> None:
    """Asserts that the deployment succeeded and is there exactly once, everywhere."""
    assert done["phase"] == "Succeeded", told(done)
    assert await org.running() == ["hello"]
    assert await org.recorded() == {"Succeeded"}
    assert await org.rollouts() == {"web": "1"}
