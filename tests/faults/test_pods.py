"""What runs on the plane is disturbed: images, quotas, nodes, pods."""

from __future__ import annotations

import pytest

from devstack import faults
from devstack.state import StateDir
from tests.faults.breaking import fault
from tests.faults.organization import Organization
from tests.faults.outcomes import deployed_once
from tests.faults.people import runs, told
from tests.faults.promises import promise
from tests.faults.source import runtime_image

pytestmark = pytest.mark.faults


@promise(
    "Image missing in the registry",
    sees="`RolloutFailed`, reason `ImagePullBackOff` or `ErrImagePull`, the image's name",
    ends="what ran before still runs; nothing of the new release is left",
    person="a developer: deploy an image that exists",
    cheap=True,
)
async def test_missing_image_fails_the_rollout_and_what_ran_before_stays(
    broken: StateDir, org: Organization
) -> None:
    await org.deployed("hello")
    missing = f"{(await runtime_image()).partition('@')[0]}@sha256:{'0' * 64}"
    done = await org.person.ended(await org.deploy(await org.workload("bye", missing)))

    assert done["phase"] == "Failed", told(done)
    assert done["failure"]["type"] == "RolloutFailed"
    assert done["failure"]["facts"]["reason"] in {"ImagePullBackOff", "ErrImagePull"}
    assert missing in done["failure"]["message"]
    assert await org.seen.running() == ["hello"]
    assert await org.seen.recorded() == ["Failed", "Succeeded"]
    assert len([one for one in await org.seen.applied() if one.startswith("Pod/")]) == 1


@promise(
    "Plane out of quota",
    "quota-exhausted",
    sees="`RolloutFailed`, reason `QuotaExceeded`, the quota's own words",
    ends="what ran before still runs; the same deployment succeeds once there is room",
    person="a platform engineer: raise the quota; a developer: deploy again",
)
async def test_exhausted_quota_fails_the_rollout_and_spares_what_runs(
    broken: StateDir, org: Organization
) -> None:
    await org.deployed("hello")
    async with fault(broken, "quota-exhausted", org.seen.namespace):
        artifact = await org.workload("bye")
        done = await org.person.ended(await org.deploy(artifact))
        assert await org.seen.running() == ["hello"]
    again = await org.person.ended(await org.deploy(artifact))

    assert done["phase"] == "Failed", told(done)
    assert done["failure"]["facts"]["reason"] == "QuotaExceeded"
    assert "exceeded quota" in done["failure"]["message"]
    assert again["phase"] == "Succeeded", told(again)
    assert await org.seen.running() == ["bye"]


@promise(
    "Pods evicted during a rollout",
    "pods-evicted",
    sees="the step `rollout`, waiting for ready pods",
    retried="Kubernetes makes new pods, the rollout is followed on",
    ends="the deployment succeeds with the new pods",
    cheap=True,
)
async def test_eviction_during_a_rollout_does_not_fail_it(
    broken: StateDir, org: Organization, rollout: str
) -> None:
    await faults.begin(broken, "pods-evicted", org.seen.namespace)
    done = await org.person.ended(rollout)

    await deployed_once(org, done)


@promise(
    "No node takes pods (cordoned)",
    "node-unschedulable",
    sees="the step `rollout`, waiting for ready pods, and until when",
    retried="Kubernetes places the pod as soon as a node takes it",
    ends="a node that comes back in time lets the deployment succeed",
)
async def test_rollout_goes_on_when_a_node_takes_pods_again(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    async with fault(broken, "node-unschedulable"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, runs("rollout"))
        await org.seen.unschedulable()
    done = await org.person.ended(operation)

    assert shown["waitingFor"]["until"]
    await deployed_once(org, done)


@promise(
    "Node not ready (its kubelet is away)",
    "kubelet-down",
    sees="the step `rollout`, waiting for ready pods, and until when",
    retried="the rollout is followed on; the node does what it was told when it is back",
    ends="the deployment succeeds with the pods the node starts then",
    limit=300,
)
async def test_rollout_waits_for_a_node_that_comes_back(
    broken: StateDir, org: Organization, artifact: str
) -> None:
    async with fault(broken, "kubelet-down"):
        operation = await org.deploy(artifact)
        shown = await org.person.sees(operation, runs("rollout"))
        await org.seen.node_not_ready()
    done = await org.person.ended(operation)

    assert shown["waitingFor"]["until"]
    await deployed_once(org, done)
