"""What the tests of planes share: the platform's own workers, and what they declare."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities.planes.checks import PlaneCheckActivities
from activities.planes.reports import PlaneReportActivities
from activities.planes.rollouts import RolloutActivities
from activities.planes.tenants import TenantPlaneActivities
from activities.records.facts import RecordActivities
from activities.releases.rendering import ReleaseActivities
from activities.secrets.tenants import VaultTenantActivities
from activities.tenants.leaving import TenantLeavingActivities
from activities.tenants.setup import TenantActivities
from clients.kubernetes import Cluster, SharedWatches
from clients.objects import ObjectStore
from clients.records import SqlRecords
from domain import ids
from settings import Settings
from tests.integration.tenants.hostile import resource
from workflows.promotions.standings import TemporalStandings
from workflows.registry import LANES, PROCEDURES


def control_workers(
    stack: AsyncExitStack,
    client: Client,
    records: SqlRecords,
    objects: ObjectStore,
    cluster: Cluster,
) -> list[Worker]:
    """All but those of planes, for what a plane is looked at, set up and given releases by."""
    tenants = TenantActivities(cluster, Settings())
    near = SharedWatches(cluster)
    stack.push_async_callback(near.close)
    standings = TemporalStandings(client)
    releases = ReleaseActivities(
        cluster, objects, Settings(), records, watches=near, standings=standings
    )
    control: list[Any] = [
        tenants.plan_tenant,
        tenants.set_up_tenant,
        tenants.record_tenant,
        PlaneReportActivities(cluster).report_plane,
        RecordActivities(records).record,
        releases.prepare_release,
        releases.record_deployment,
    ]
    return [
        Worker(client, task_queue=ids.ORCHESTRATION_QUEUE, workflows=PROCEDURES),
        Worker(client, task_queue=ids.LANES_QUEUE, workflows=LANES),
        Worker(client, task_queue=ids.CONTROL_QUEUE, activities=control),
        Worker(
            client,
            task_queue=ids.SECRETS_QUEUE,
            activities=[VaultTenantActivities(None).ensure_vault_tenant],
            activity_executor=stack.enter_context(ThreadPoolExecutor(2)),
        ),
    ]


def plane_worker(
    stack: AsyncExitStack, client: Client, objects: ObjectStore, name: str, cluster: Cluster
) -> Worker:
    """The worker of one plane, with a connection of its own."""
    watches = SharedWatches(cluster)
    stack.push_async_callback(watches.close)
    checks = PlaneCheckActivities(cluster, watches)
    rollouts = RolloutActivities(cluster, watches, objects)
    activities: list[Any] = [
        rollouts.apply_release,
        rollouts.follow_rollout,
        checks.inspect_plane,
        checks.watch_plane,
        TenantPlaneActivities(cluster).set_up_tenant_plane,
        TenantLeavingActivities(cluster).leave_namespaces,
    ]
    return Worker(client, task_queue=ids.plane_queue(name), activities=activities)


async def declared(
    cluster: Cluster, organization: str, *resources: tuple[str, str, dict[str, Any]]
) -> None:
    """Applies resources as a person would."""
    for kind, name, spec in resources:
        where = "" if kind == "Organization" else organization
        await cluster.apply(resource(kind, name, where, spec), manager="person")


def a_task(environment: str, plane: str) -> list[tuple[str, str, dict[str, Any]]]:
    """A scheduled task: it is well as soon as it is there, on a cluster that runs no pods."""
    image = f"registry.example.com/report@sha256:{'a' * 64}"
    wanted = {"componentRef": "report", "environmentRef": environment, "artifactRef": "report-1"}
    return [
        ("Environment", environment, {"dataPlaneRef": plane}),
        (
            "DeploymentPipeline",
            environment,
            {"promotionPaths": [{"sourceEnvironmentRef": environment}]},
        ),
        ("Project", "move", {"deploymentPipelineRef": environment}),
        ("ScheduledTaskClass", "standard-scheduled-task", {}),
        (
            "Component",
            "report",
            {"componentOwner": {"projectRef": "move"}, "componentType": "ScheduledTask"},
        ),
        (
            "ScheduledTask",
            "report",
            {"componentRef": "report", "schedule": {"cron": "0 0 1 1 *"}},
        ),
        ("Workload", "report", {"componentRef": "report", "containers": [{"name": "main"}]}),
        ("DeployableArtifact", "report-1", {"componentRef": "report", "image": image}),
        ("ScheduledTaskBinding", f"report-{environment}", wanted),
    ]
