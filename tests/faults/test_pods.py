"""What runs on the plane is disturbed: images, quotas, nodes, pods."""

from __future__ import annotations

import pytest

from devstack import faults
from devstack.state import StateDir
from tests.faults.promises import promise
from tests.faults.test_plane import made_once
from tests.faults.world import Organization, fault, runs, runtime_image, told

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
    assert "Image" in done["failure"]["facts"]["reason"] or "ErrImage" in done["failure"]["message"]
    assert await org.running() == ["hello"]
    assert await org.recorded() == {"Succeeded", "Failed"}


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
    async with fault(broken, "quota-exhausted", org.namespace):
        artifact = await org.workload("bye")
        done = await org.person.ended(await org.deploy(artifact))
        assert await org.running() == ["hello"]
    again = await org.person.ended(await org.deploy(artifact))

    assert done["phase"] == "Failed", told(done)
    assert done["failure"]["facts"]["reason"] == "QuotaExceeded"
    assert again["phase"] == "Succeeded", told(again)
    assert await org.running() == ["bye"]


@promise(
    "Pods evicted during a rollout",
    "pods-evicted",
    sees="the step `rollout`, waiting for ready pods",
    retried="Kubernetes makes new pods, the rollout is followed on",
    ends="the deployment succeeds with the new pods",
    cheap=True,
)
async def test_eviction_during_a_rollout_does_not_fail_it(
    broken: StateDir, org: Organization
) -> None:
    await org.service_class(settle=4)
    operation = await org.deploy(await org.workload())
    await org.person.sees(operation, runs("rollout"))
    await faults.begin(broken, "pods-evicted", org.namespace)
    done = await org.person.ended(operation)

    await made_once(org, done)


@promise(
    "No node takes pods (cordoned)",
    "node-unschedulable",
    sees="the step `rollout`, waiting for ready pods; after the grace `Unschedulable` and why",
    retried="Kubernetes places the pod as soon as a node takes it",
    ends="a node that comes back in time lets the deployment succeed",
)
async def test_rollout_goes_on_when_a_node_takes_pods_again(
    broken: StateDir, org: Organization
) -> None:
    artifact = await org.workload()
    async with fault(broken, "node-unschedulable"):
        operation = await org.deploy(artifact)
        await org.person.sees(operation, runs("rollout"))
        await org.unschedulable()
    done = await org.person.ended(operation)

    await made_once(org, done)


@promise(
    "Node not ready (its kubelet is away)",
    "kubelet-down",
    sees="the step `rollout`, waiting for ready pods, until its deadline",
    retried="the rollout is followed on; the node does what it was told when it is back",
    ends="the deployment succeeds with the pods the node starts then",
    limit=300,
)
async def test_rollout_waits_for_a_node_that_comes_back(
    broken: StateDir, org: Organization
) -> None:
    artifact = await org.workload()
    async with fault(broken, "kubelet-down"):
        operation = await org.deploy(artifact)
        await org.person.sees(operation, runs("rollout"))
        await org.node_not_ready()
    done = await org.person.ended(operation)

    await made_once(org, done)
