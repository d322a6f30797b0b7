"""What is deleted of a component's past, on a real API server."""

from __future__ import annotations

import asyncio

import pytest
import stamina

from activities.common.reading import listed
from activities.releases.retention import forget_old
from clients.kubernetes import Cluster
from domain.deliveries import Bundle, PreparedRelease
from domain.errors import RateLimited
from domain.phases import Phase
from domain.policies.retention import KEPT_DEPLOYMENTS
from domain.rendering import labels as names
from domain.resources import Deployment, Metadata
from domain.resources.deployment import DeploymentSpec

pytestmark = [pytest.mark.integration, pytest.mark.sampled]


def deployment(organization: str, name: str) -> Deployment:
    return Deployment(
        metadata=Metadata(
            name=name,
            namespace=organization,
            labels={names.COMPONENT: "web", names.ENVIRONMENT: "development"},
        ),
        spec=DeploymentSpec(
            binding_ref="web-development", component_ref="web", environment_ref="development"
        ),
    )


async def test_old_deployments_that_ended_go_and_one_that_runs_stays(
    cluster: Cluster, organization: str
) -> None:
    every = [f"web-{index:02}" for index in range(KEPT_DEPLOYMENTS + 4)]
    for name in every:
        await cluster.create(deployment(organization, name).manifest())
    kind = await cluster.kind_of("choreo.dev/v1alpha1", "Deployment")
    ended = {"status": {"phase": Phase.SUCCEEDED.value}}
    await asyncio.gather(
        *(cluster.patch(kind, name, organization, ended, "status") for name in every[1:])
    )
    prepared = PreparedRelease(
        organization=organization,
        project="shop",
        component="web",
        environment="development",
        binding="web-development",
        deployment=every[-1],
        bundle=Bundle(release="web-2"),
        task_queue="plane.local",
    )

    # A server whose caches are not filled yet asks to come again, as it does an activity.
    async for attempt in stamina.retry_context(on=RateLimited, timeout=30):
        with attempt:
            await forget_old(cluster, prepared)
    await forget_old(cluster, prepared)

    left = {each.name for each in await listed(cluster, Deployment, organization)}
    assert len(left) >= KEPT_DEPLOYMENTS
    assert every[0] in left, "it has not ended"
    assert every[-1] in left
    assert len(set(every) - left) == len(every) - KEPT_DEPLOYMENTS - 1
