"""The way between the worker and the plane's API server is broken."""

from __future__ import annotations

import pytest

from devstack import faults
from devstack.state import StateDir
from tests.faults.breaking import fault
from tests.faults.organization import Organization
from tests.faults.outcomes import DEPLOYED_ONCE, deployed_once
from tests.faults.people import Terminal, retrying, runs, told, tried_for_two_hours, waits
from tests.faults.promises import promise

pytestmark = pytest.mark.faults
RETRIED = "the step, with growing pauses up to 30 s, for two hours"
ASKED_PAUSE = 1.0
"""What the gate tells whoever is too busy, in seconds."""
BY_ITSELF = 4
"""A try before which the growing pauses of the platform are longer than that."""


@promise(
    "Network between worker and plane cut",
    "plane-cut",
    sees="the step, its attempt, `DependencyUnavailable: … no answer from the API server`, when it "
    "is tried next and when it is given up; `pavane operations show` tells the same",
    retried=RETRIED,
    ends=DEPLOYED_ONCE,
    cheap=True,
)
async def test_deployment_waits_out_a_cut_network_and_is_made_once(
    broken: StateDir, org: Organization, artifact: str, terminal: Terminal
) -> None:
    async with fault(broken, "plane-cut"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, lambda seen: waits(seen, "render web"))
        code, output = await terminal.runs("operations", "show", operation)
    done = await org.person.ended(operation)

    (retry,) = retrying(shown)
    assert retry["type"] == "DependencyUnavailable"
    assert "no answer from the API server" in retry["message"]
    tried_for_two_hours(retry)
    assert code == 0, output
    assert "tried again: render web" in output
    assert "no answer from the API server" in output
    await deployed_once(org, done)


@promise(
    "Plane's API server answers 429",
    "plane-busy",
    sees="the step, its attempt, `RateLimited: … too many requests`",
    retried="after the time the server asks for (Retry-After)",
    ends=DEPLOYED_ONCE,
    cheap=True,
)
async def test_deployment_comes_back_when_the_plane_asks_to(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    async with fault(broken, "plane-busy"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(
            operation, lambda seen: any(one["attempt"] > BY_ITSELF for one in retrying(seen))
        )
        pauses = await org.seen.pauses(operation)
    done = await org.person.ended(operation)

    (retry,) = retrying(shown)
    assert retry["type"] == "RateLimited"
    assert "too many requests" in retry["message"]
    assert set(pauses) <= {ASKED_PAUSE, 0.0}, "nothing but what was asked for; 0 = it runs"
    await deployed_once(org, done)


@promise(
    "Plane's API server answers 409 to every change",
    "plane-conflicts",
    sees="the step, its attempt, `DependencyUnavailable: … others write it all the time`",
    retried=RETRIED,
    ends=DEPLOYED_ONCE,
    cheap=True,
)
async def test_deployment_repeats_changes_that_lost_a_race(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    async with fault(broken, "plane-conflicts"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, waits)
    done = await org.person.ended(operation)

    (retry,) = retrying(shown)
    assert retry["type"] == "DependencyUnavailable"
    assert "others write it all the time" in retry["message"]
    tried_for_two_hours(retry)
    await deployed_once(org, done)


@promise(
    "Plane's API server answers 500",
    "plane-broken",
    sees="the step, its attempt, `DependencyUnavailable: … the API server answered 500`",
    retried=RETRIED,
    ends=DEPLOYED_ONCE,
)
async def test_deployment_waits_out_a_server_with_a_fault_of_its_own(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    async with fault(broken, "plane-broken"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, waits)
    done = await org.person.ended(operation)

    (retry,) = retrying(shown)
    assert "answered 500" in retry["message"]
    tried_for_two_hours(retry)
    await deployed_once(org, done)


@promise(
    "Plane's API server takes requests and never answers",
    "plane-silent",
    sees="the step, its attempt, `the control plane does not answer: …`, and where to look",
    retried=RETRIED,
    ends=DEPLOYED_ONCE,
    limit=300,
)
async def test_deployment_gives_up_a_request_that_is_never_answered(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    async with fault(broken, "plane-silent"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, lambda seen: waits(seen, "render web"))
    done = await org.person.ended(operation)

    (retry,) = retrying(shown)
    assert retry["message"].startswith("the control plane does not answer"), told(shown)
    tried_for_two_hours(retry)
    await deployed_once(org, done)


@promise(
    "Plane's API server slow (2 s an answer)",
    "plane-slow",
    sees="nothing is tried again, it only takes longer",
    ends="the deployment is made once, later",
    limit=300,
)
async def test_deployment_on_a_slow_plane_is_only_slow(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    async with fault(broken, "plane-slow"):
        done, retried = await org.person.followed(await org.deploy(artifact))

    assert retried == []
    await deployed_once(org, done)


@promise(
    "Watch expired (410) during a rollout",
    "watch-expired",
    sees="nothing",
    ends="the rollout is followed to its end",
    cheap=True,
)
async def test_rollout_is_followed_past_an_expired_watch(
    broken: StateDir, org: Organization, rollout: str
) -> None:
    await faults.begin(broken, "watch-expired")
    done, retried = await org.person.followed(rollout)

    assert retried == []
    await deployed_once(org, done)


@promise(
    "Plane out of reach for longer than the deadline of a rollout",
    "plane-cut",
    sees="the step `rollout`, its attempt, `DependencyUnavailable`: no verdict on what is not seen",
    retried="following the rollout, with a fresh deadline",
    ends="pods that became ready meanwhile make a successful deployment",
)
async def test_rollout_nobody_could_see_is_no_failed_rollout(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    await org.service_class(settle=5, deadline=15)
    operation = await org.deploy(artifact)
    await org.person.sees(operation, runs("rollout"))
    async with fault(broken, "plane-cut"):
        shown = await org.person.sees(operation, lambda seen: retrying(seen, "await ready pods"))
    done = await org.person.ended(operation)

    assert retrying(shown)[0]["type"] == "DependencyUnavailable"
    await deployed_once(org, done)


@promise(
    "Deployment cancelled while the plane is out of reach",
    "plane-cut",
    sees="phase `Running` with what is undone and tried again; then `Cancelled`",
    retried="the undo, until it is done",
    ends="what was applied is removed",
)
async def test_cancel_during_a_cut_undoes_everything_afterwards(
    broken: StateDir, org: Organization, rollout: str
) -> None:
    async with fault(broken, "plane-cut"):
        await org.person.post(f"/v1/operations/{rollout}/cancel", {"reason": "by mistake"})
        shown = await org.person.sees(rollout, lambda seen: retrying(seen, "apply nothing"))
    done = await org.person.ended(rollout)

    assert shown["phase"] == "Running"
    assert done["phase"] == "Cancelled", told(done)
    assert await org.seen.rollouts() == {}
    assert not [one for one in await org.seen.applied() if one.startswith("Service/")]
