"""What builds stand on is broken: Argo, the registry, Git, the disk of the log archive."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from devstack import faults
from devstack.state import StateDir
from tests.faults.breaking import fault
from tests.faults.organization import Organization
from tests.faults.outcomes import BUILT_ONCE, built_once
from tests.faults.people import Operation, retrying, runs, told, tried_for_two_hours, waits
from tests.faults.promises import promise

pytestmark = pytest.mark.faults
PAUSE = timedelta(seconds=15)
AGAIN = "the whole build, 15 s later"


def tries_again(shown: Operation) -> bool:
    waiting = shown["waitingFor"]
    return bool(waiting) and str(waiting["what"]).startswith("the next try after a technical fault")


def pauses(shown: Operation) -> None:
    """Asserts that the whole build is tried again, and when."""
    assert tries_again(shown), told(shown)
    since, until = (datetime.fromisoformat(shown["waitingFor"][one]) for one in ("since", "until"))
    assert until - since == PAUSE


@promise(
    "Argo's controller down",
    "argo-down",
    sees="the step `build`, waiting for the build pods, and until when",
    retried="nothing needs to be: the Argo Workflow is there and waits",
    ends=BUILT_ONCE,
    limit=300,
)
async def test_build_submitted_while_argo_is_down_runs_afterwards(
    broken: StateDir, org: Organization, commit: str
) -> None:
    async with fault(broken, "argo-down"):
        operation = await org.build(commit)
        shown = await org.person.sees(operation, runs("build"))
    done = await org.person.ended(operation)

    assert shown["waitingFor"]["what"] == "the build pods"
    assert shown["waitingFor"]["until"]
    await built_once(org, done)


@promise(
    "Argo's controller restarted during a build",
    "argo-killed",
    sees="the step `build`, as without the fault",
    ends=BUILT_ONCE,
    limit=300,
)
async def test_build_outlives_a_restart_of_argo(
    broken: StateDir, org: Organization, running_build: str
) -> None:
    await faults.begin(broken, "argo-killed")
    await org.person.sees(running_build, runs("build"))
    done = await org.person.ended(running_build)

    await built_once(org, done)


@promise(
    "Argo Workflow deleted by hand",
    "argo-workflow-deleted",
    sees="waiting for `the next try after a technical fault: Argo Workflow … was deleted while it "
    "ran`, and until when",
    retried=AGAIN,
    ends=BUILT_ONCE,
    limit=300,
)
async def test_build_is_made_again_when_its_argo_workflow_was_deleted(
    broken: StateDir, org: Organization, running_build: str
) -> None:
    await faults.begin(broken, "argo-workflow-deleted", org.seen.builds)
    shown = await org.person.sees(running_build, tries_again)
    done = await org.person.ended(running_build)

    pauses(shown)
    assert "was deleted while it ran" in shown["waitingFor"]["what"]
    await built_once(org, done)


@promise(
    "Build pod evicted",
    "pods-evicted",
    sees="the step `build`; or waiting for `the next try after a technical fault`",
    retried="by Argo, which makes a new pod when the lost one was young; else " + AGAIN,
    ends=BUILT_ONCE,
    limit=300,
)
async def test_build_is_made_again_when_its_pod_was_evicted(
    broken: StateDir, org: Organization, running_build: str
) -> None:
    evicted = await org.seen.build_pods()
    await faults.begin(broken, "pods-evicted", org.seen.builds)
    await org.person.sees(running_build, lambda one: runs("build")(one) or tries_again(one))
    done = await org.person.ended(running_build)

    await built_once(org, done)
    assert evicted
    assert not evicted & await org.seen.build_pods()


@promise(
    "Registry down during a build",
    "registry-down",
    sees="waiting for `the next try after a technical fault: a base image could not be pulled` "
    "(or: `the image could not be pushed`)",
    retried=AGAIN,
    ends=BUILT_ONCE,
    limit=300,
)
async def test_build_is_made_again_when_the_registry_was_down(
    broken: StateDir, org: Organization, commit: str
) -> None:
    async with fault(broken, "registry-down"):
        operation = await org.build(commit)
        shown = await org.person.sees(operation, tries_again)
    done = await org.person.ended(operation)

    pauses(shown)
    assert "image could not be" in shown["waitingFor"]["what"]
    await built_once(org, done)


@promise(
    "Registry full: it refuses what is pushed",
    "registry-full",
    sees="waiting for `the next try after a technical fault: …`, and until when",
    retried=AGAIN,
    ends=BUILT_ONCE,
    limit=300,
)
async def test_build_is_made_again_when_the_registry_was_full(
    broken: StateDir, org: Organization, commit: str
) -> None:
    async with fault(broken, "registry-full", org.name):
        operation = await org.build(commit)
        shown = await org.person.sees(operation, lambda one: tries_again(one) or one["finished"])
    pauses(shown)
    done = await org.person.ended(operation)

    await built_once(org, done)


@promise(
    "Git server down",
    "git-down",
    sees="of the build request: resolving the revision, its attempt, `DependencyUnavailable` with "
    "the repository",
    retried="that step, with growing pauses up to 30 s, for two hours",
    ends=BUILT_ONCE,
    limit=300,
)
async def test_build_of_a_branch_waits_for_the_git_server(
    broken: StateDir, org: Organization, commit: str
) -> None:
    async with fault(broken, "git-down"):
        request = await org.build("main")
        shown = await org.person.sees(request, waits)
    await org.person.ended(request)
    done = await org.person.ended(f"build/{org.name}/web/{commit[:12]}")

    (retry,) = retrying(shown)
    assert retry["type"] == "DependencyUnavailable"
    assert f"{org.name}/web.git" in retry["message"]
    tried_for_two_hours(retry)
    await built_once(org, done)


@promise(
    "Disk of the worker full (log archive)",
    "worker-disk-full",
    sees="nothing of it in the operation",
    retried="copying the log",
    ends="the build does not notice; its log is complete once there is room",
    limit=300,
)
async def test_log_of_a_build_is_complete_after_the_disk_was_full(
    broken: StateDir, org: Organization, commit: str
) -> None:
    async with fault(broken, "worker-disk-full"):
        operation = await org.build(commit)
        await org.seen.build_pod_runs()
        await org.seen.build_said("STEP 2/2")
    done = await org.person.ended(operation)
    log = await org.person.client.get(f"/v1/builds/{org.name}/web/{commit[:12]}/logs")

    await built_once(org, done)
    assert "STEP 1/2" in log.text
    assert "Successfully tagged" in log.text
