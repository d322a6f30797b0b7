from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from domain.deliveries import ApplyRelease, Bundle, DeployRequest, PreparedRelease
from domain.errors import Denied
from domain.phases import Phase
from domain.records import FactResult
from tests.workflows.conftest import World, a_release, workers
from tests.workflows.test_deployments import a_request
from workflows.starting import signal_deployment

pytestmark = pytest.mark.workflows


@pytest.fixture
async def running(temporal: Client) -> AsyncIterator[World]:
    world = World()
    async with workers(temporal, world):
        yield world


def moving(request: DeployRequest) -> PreparedRelease:
    """A release whose place lies on another plane than before."""
    before = Bundle(release="web-old", namespace="acme-shop-dev")
    return a_release(request, previous=Bundle(), left=before, left_queue="plane.local")


async def test_a_place_that_moved_is_taken_down_where_it_was_when_it_is_ready_here(
    temporal: Client, running: World, organization: str
) -> None:
    async def moves(request: DeployRequest) -> PreparedRelease:
        return moving(request)

    running.behaviours["prepare_release"] = moves
    deployment = await (await signal_deployment(temporal, a_request(organization))).result()

    assert deployment.phase is Phase.SUCCEEDED
    assert running.names()[1:4] == ["apply_release", "follow_rollout", "apply_release"]
    taken_down = running.last("apply_release")
    assert (taken_down.bundle.release, taken_down.previous.release) == ("", "web-old")
    assert "deployment.plane-left" in [
        fact.action for fact in running.last("record_deployment").facts
    ]


async def test_a_plane_that_is_left_and_refuses_fails_nothing_and_is_written_down(
    temporal: Client, running: World, organization: str
) -> None:
    async def moves(request: DeployRequest) -> PreparedRelease:
        return moving(request)

    async def refuses(request: ApplyRelease) -> None:
        if not request.bundle.release:
            raise Denied("this plane does not serve you")

    running.behaviours |= {"prepare_release": moves, "apply_release": refuses}
    deployment = await (await signal_deployment(temporal, a_request(organization))).result()

    assert deployment.phase is Phase.SUCCEEDED
    (left,) = [
        fact
        for fact in running.last("record_deployment").facts
        if fact.action == "deployment.plane-left"
    ]
    assert (left.result, "does not serve you" in left.message) == (FactResult.FAILED, True)


async def test_what_no_release_tells_of_any_more_is_removed_by_its_labels(
    temporal: Client, running: World, organization: str
) -> None:
    async def lost(request: DeployRequest) -> PreparedRelease:
        nothing = {"bundle": Bundle(), "previous": Bundle(), "changed": False}
        return a_release(request, action="undeploy", swept="acme-shop-dev", **nothing)

    running.behaviours["prepare_release"] = lost
    await (await signal_deployment(temporal, a_request(organization))).result()

    assert running.names() == ["prepare_release", "sweep_plane", "record_deployment"]
    sweep = running.last("sweep_plane")
    assert (sweep.namespaces, sweep.component) == (("acme-shop-dev",), "web")
