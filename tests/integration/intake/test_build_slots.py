"""The limit of an Organization, from its resource to Argo Workflows, with the real worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from pydantic import SecretStr
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import ActivityEnvironment

from activities.builds.lanes import BuildLaneActivities
from clients.kubernetes import Cluster, Kind
from clients.records import SqlRecords
from devstack.programs import Silent, ensure
from domain import ids
from domain.deliveries import Build, BuildRequest, BuildTurn, LaneCheck, QueuePlace, SlotRef
from settings import (
    ObjectSettings,
    RecordsSettings,
    RegistrySettings,
    Settings,
    WorkerSettings,
)
from tests.integration.intake.organizations import Organization, intake
from tests.integration.resources.conftest import established
from tests.serving import own_client, served
from worker import WorkerProcess
from workflows.starting import start_build

pytestmark = [pytest.mark.integration, pytest.mark.sampled]

BUILDS = Kind("choreo.dev/v1alpha1", "Build", "builds", namespaced=True)
ARGO_WORKFLOWS = Kind("argoproj.io/v1alpha1", "Workflow", "workflows", namespaced=True)
COMMITS = {"web": "a" * 40, "pay": "b" * 40}


@pytest.fixture
async def platform(
    cluster: Cluster, temporal: Client, organization: str, tmp_path: Path
) -> AsyncIterator[Organization]:
    """An organization that may run one build, the worker, and Argo's resources without Argo."""
    argo = ensure(["argo-crds"], progress=Silent())["argo-crds"]
    definition = yaml.safe_load(argo.files["argoproj.io_workflows.yaml"].read_text())
    await cluster.apply(definition, force=True)
    await established(cluster, definition["metadata"]["name"])
    settings = Settings(
        registry=RegistrySettings(pull_host="registry.example.com"),
        objects=ObjectSettings(url=f"file://{tmp_path}"),
        records=RecordsSettings(url=SecretStr(f"sqlite:///{tmp_path / 'records.db'}")),
        # Nobody ends the builds that are followed here, so there is no grace to give them.
        worker=WorkerSettings(
            roles=("orchestration", "control", "plane"), graceful_shutdown=timedelta(seconds=1)
        ),
    )
    org = Organization(cluster, organization)
    await limit(org, 1)
    await org.platform()
    for name in COMMITS:
        await org.component(name)
    own = await own_client(temporal)
    records = SqlRecords.open(settings.records.address)
    await records.migrate()
    async with served(WorkerProcess(settings, own, cluster, records).workers()):
        yield org
        handles = [temporal.get_workflow_handle(ids.build_lane_id(organization))]
        handles += [handle_of(temporal, organization, name) for name in COMMITS]
        for handle in handles:
            if (await handle.describe()).close_time is None:
                await handle.terminate("the test is over")
    await records.close()


def handle_of(client: Client, organization: str, name: str) -> WorkflowHandle[Any, Build]:
    return client.get_workflow_handle(ids.build_id(organization, name, COMMITS[name]))


async def limit(org: Organization, concurrency: int) -> None:
    manifest = {
        "apiVersion": "choreo.dev/v1alpha1",
        "kind": "Organization",
        "metadata": {"name": org.name},
        "spec": {"builds": {"concurrency": concurrency}},
    }
    await org.cluster.apply(manifest, manager="person", force=True)


async def start(client: Client, org: Organization, name: str) -> None:
    request = BuildRequest(organization=org.name, component=name, commit=COMMITS[name])
    await start_build(client, request)


async def argo_workflows(org: Organization) -> list[str]:
    listing = await org.cluster.list(ARGO_WORKFLOWS, ids.build_namespace(org.name))
    return sorted(item["metadata"]["name"] for item in listing.items)


async def until_submitted(org: Organization, *names: str) -> None:
    wanted = sorted(ids.build_name(name, COMMITS[name]) for name in names)
    async with asyncio.timeout(30):
        while True:
            if await argo_workflows(org) == wanted:
                return
            await asyncio.sleep(0.1)


async def until_told(org: Organization, name: str, reason: str) -> dict[str, Any]:
    """Returns the status of a Build once its condition has that reason."""
    async with asyncio.timeout(30):
        while True:
            found = await org.cluster.find(BUILDS, ids.build_name(name, COMMITS[name]), org.name)
            status: dict[str, Any] = (found or {}).get("status", {})
            if any(one["reason"] == reason for one in status.get("conditions", ())):
                return status
            await asyncio.sleep(0.1)


async def test_of_two_builds_one_runs_and_the_other_says_that_it_waits(
    temporal: Client, platform: Organization
) -> None:
    await start(temporal, platform, "web")
    await until_submitted(platform, "web")
    await start(temporal, platform, "pay")

    waits = await until_told(platform, "pay", "Queued")

    assert waits["phase"] == "Pending"
    assert waits["message"] == "waits for a build slot: 1st of 1 waiting, 1 of 1 running"
    await until_submitted(platform, "web")

    stopped = {"status": {"phase": "Failed", "message": "stopped, as Argo would say"}}
    await handle_of(temporal, platform.name, "web").cancel()
    name, where = ids.build_name("web", COMMITS["web"]), ids.build_namespace(platform.name)
    await platform.cluster.patch(ARGO_WORKFLOWS, name, where, stopped)

    await until_submitted(platform, "web", "pay")
    assert (await until_told(platform, "pay", "Building"))["phase"] == "Running"


async def test_a_raised_limit_lets_a_waiting_build_run_without_another_event(
    cluster: Cluster, temporal: Client, platform: Organization
) -> None:
    async with intake(cluster, temporal, platform.name):
        await start(temporal, platform, "web")
        await until_submitted(platform, "web")
        await start(temporal, platform, "pay")
        await until_told(platform, "pay", "Queued")

        await limit(platform, 2)

        await until_submitted(platform, "web", "pay")


async def test_a_terminated_build_gives_up_its_slot_to_the_one_that_waits(
    temporal: Client, platform: Organization
) -> None:
    await start(temporal, platform, "web")
    await until_submitted(platform, "web")
    await handle_of(temporal, platform.name, "web").terminate("lost")

    await start(temporal, platform, "pay")

    await until_submitted(platform, "web", "pay")


@pytest.mark.parametrize(
    ("run_id", "phase", "told"),
    [
        ("mine", "Running", "Queued"),
        ("mine", "Succeeded", "Before"),
        ("another", "Running", "Before"),
    ],
)
async def test_only_a_build_that_is_open_is_shown_as_waiting_and_only_by_its_own_run(
    cluster: Cluster, organization: str, run_id: str, phase: str, told: str
) -> None:
    org = Organization(cluster, organization)
    name = ids.build_name("web", COMMITS["web"])
    await org.apply("Build", name, {"componentRef": "web"})
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "Before",
        "message": "as it was",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    status = {"phase": phase, "operation": {"runId": run_id}, "conditions": [condition]}
    await cluster.patch(BUILDS, name, organization, {"status": status}, "status")
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, workflow_run_id="mine")
    place = QueuePlace(place=1, waiting=1, running=1, limit=1)

    turn = BuildTurn(organization=organization, name=name, place=place)
    await environment.run(BuildLaneActivities(cluster).show_build_turn, turn)

    assert (await until_told(org, "web", told))["conditions"][0]["reason"] == told


async def test_a_look_reads_the_limit_and_finds_runs_that_temporal_does_not_know(
    cluster: Cluster, temporal: Client, organization: str
) -> None:
    await limit(Organization(cluster, organization), 3)
    unknown = SlotRef(build=f"build/{organization}/web/{'a' * 12}", run_id=str(uuid4()))
    look = BuildLaneActivities(cluster).inspect_build_lane

    facts = await ActivityEnvironment(temporal).run(
        look, LaneCheck(organization=organization, holders=(unknown,))
    )
    gone = await ActivityEnvironment(temporal).run(look, LaneCheck(organization="org-unknown"))

    assert (facts.limit, facts.ended) == (3, (unknown,))
    assert gone.limit == 0
