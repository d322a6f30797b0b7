"""Builds the object graph of a worker and runs the task queues of its roles."""

from __future__ import annotations

import gc

# What is imported stays: looking for garbage in it meanwhile is a fifth of the start.
gc.disable()

import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from datetime import timedelta
from importlib.metadata import version

from temporalio.client import Client, Plugin
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import Interceptor, Worker, WorkerDeploymentConfig

from activities.builds.lanes import BuildLaneActivities
from activities.builds.records import BuildRecordActivities
from activities.builds.revisions import RevisionActivities
from activities.builds.runs import BuildRunActivities
from activities.classes.upgrades import ClassActivities
from activities.common.notices import NoticeActivities
from activities.guards.stops import StopActivities
from activities.planes.drift import DriftPlaneActivities
from activities.planes.gate_tests import GateTestActivities
from activities.planes.release_watch import ReleaseWatchActivities
from activities.planes.rollouts import RolloutActivities
from activities.planes.task_runs import TaskPlanActivities, TaskRunActivities
from activities.planes.tenants import TenantPlaneActivities
from activities.promotions.approvals import ApprovalActivities
from activities.promotions.rollbacks import RollbackActivities
from activities.promotions.standing import PromotionActivities
from activities.records.facts import RecordActivities
from activities.records.signing import SigningActivities
from activities.releases.drift import DriftActivities
from activities.releases.rendering import ReleaseActivities
from activities.tenants.setup import TenantActivities
from clients.assertions import AssertionVerifier
from clients.git import GitRemotes
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.notifications import Notifier, channels
from clients.objects import ObjectStore
from clients.records import SqlRecords
from clients.registry import Registry
from clients.transit import TransitSigner
from domain import ids
from intake.drift import DriftWatch
from intake.service import Intake
from runtime import client as temporal
from runtime import logging as logs
from runtime import search_attributes
from runtime.health import Check, HealthServer
from runtime.ports import free_port
from runtime.tenancy import OnlyOrganizations
from settings import Settings, load
from workflows.deployments.queues import TemporalDeployQueues
from workflows.promotions.standings import TemporalStandings
from workflows.registry import LANES, PROCEDURES
from workflows.schedules import schedule_audit_signing

gc.freeze()
gc.enable()

_LOG = logging.getLogger("worker")
_HEARTBEAT = timedelta(seconds=1)
"""A cancel arrives with the answer to a heartbeat: this bounds how long it takes."""
_LAST_STEP = timedelta(seconds=5)
"""How long a worker may take to end after its activities have; below the grace of a pod."""
_LINGER_SECONDS = 900.0
"""How long a watch of the plane is kept after its last use: the first deployment after a quiet
minute should not wait until all pods are listed again."""

_SECRET_TASKS = 4
"""Activities with secrets at once; each holds a thread."""

_STICKY = timedelta(seconds=5)
"""How long a task waits for the worker that has its workflow in memory, before any may take it."""


class WorkerProcess:
    """Everything one process runs, by its roles."""

    def __init__(
        self, settings: Settings, client: Client, cluster: Cluster, records: SqlRecords
    ) -> None:
        self._settings = settings
        self._client = client
        self._cluster = cluster
        self._records = records
        self._watches = SharedWatches(cluster, linger=_LINGER_SECONDS)
        self._objects = ObjectStore.open(settings.objects.url)
        self._git = GitRemotes()
        self._decisions = AssertionVerifier(settings.approvals.verify_keys)
        self._notifier = Notifier(channels(settings.notifications))
        self._registry = Registry(settings.registry.url, settings.registry.pull_host)
        self._stop = asyncio.Event()

    def workers(self) -> list[Worker]:
        """Makes one worker for each task queue of the roles."""
        made = []
        roles = self._settings.worker.roles
        if "orchestration" in roles:
            made += [self._orchestration(), self._lanes()]
        if "control" in roles:
            made.append(self._control())
        if "plane" in roles:
            made.append(self._plane())
        if signer := signer_of(self._settings):
            made.append(self._secrets(signer))
        return made

    def _orchestration(self) -> Worker:
        return Worker(
            self._client,
            task_queue=ids.ORCHESTRATION_QUEUE,
            workflows=PROCEDURES,
            max_cached_workflows=self._settings.worker.max_cached_workflows,
            max_concurrent_workflow_tasks=self._settings.worker.short_tasks,
            sticky_queue_schedule_to_start_timeout=_STICKY,
            graceful_shutdown_timeout=self._settings.worker.graceful_shutdown,
            deployment_config=self._versioning(VersioningBehavior.PINNED),
        )

    def _lanes(self) -> Worker:
        return Worker(
            self._client,
            task_queue=ids.LANES_QUEUE,
            workflows=LANES,
            max_cached_workflows=self._settings.worker.max_cached_workflows,
            sticky_queue_schedule_to_start_timeout=_STICKY,
            graceful_shutdown_timeout=self._settings.worker.graceful_shutdown,
            deployment_config=self._versioning(VersioningBehavior.AUTO_UPGRADE),
        )

    def _control(self) -> Worker:
        builds = BuildRecordActivities(self._cluster, self._settings, self._records)
        lanes = BuildLaneActivities(self._cluster)
        queues, standings = TemporalDeployQueues(self._client), TemporalStandings(self._client)
        releases = ReleaseActivities(
            self._cluster,
            self._objects,
            self._settings,
            self._records,
            watches=self._watches,
            standings=standings,
        )
        promotions = PromotionActivities(
            self._cluster,
            self._objects,
            standings,
            queues,
            self._settings,
            watches=self._watches,
        )
        records, stops = RecordActivities(self._records), StopActivities(self._records)
        drift = DriftActivities(self._cluster, queues)
        classes = ClassActivities(self._cluster, queues, self._records)
        approvals = ApprovalActivities(self._cluster, self._decisions, self._settings)
        tenants = TenantActivities(self._cluster, self._settings)
        return Worker(
            self._client,
            task_queue=ids.CONTROL_QUEUE,
            activities=[
                RevisionActivities(self._cluster, self._git).resolve_revision,
                builds.adopt_build,
                builds.register_build,
                builds.record_build,
                builds.refuse_build,
                lanes.enter_build_lane,
                lanes.inspect_build_lane,
                lanes.show_build_turn,
                approvals.check_people,
                NoticeActivities(self._notifier).send_notice,
                releases.prepare_release,
                releases.record_deployment,
                records.record,
                records.read_unsigned_heads,
                records.write_signatures,
                *promotions.all(),
                RollbackActivities(self._cluster, standings, self._watches).read_rollback,
                stops.change_stop,
                stops.read_stops,
                stops.tell_flows,
                drift.read_drift_place,
                drift.await_deployments,
                drift.record_drift,
                drift.ask_put_back,
                drift.await_put_back,
                classes.plan_class_upgrade,
                classes.upgrade_binding,
                TaskPlanActivities(self._cluster, self._objects, self._records).prepare_task_run,
                tenants.plan_tenant,
                tenants.set_up_tenant,
                tenants.record_tenant,
            ],
            max_concurrent_activities=self._settings.worker.short_tasks,
            max_heartbeat_throttle_interval=_HEARTBEAT,
            graceful_shutdown_timeout=self._settings.worker.graceful_shutdown,
        )

    def _plane(self) -> Worker:
        runs = BuildRunActivities(
            self._cluster, self._watches, self._objects, self._registry, self._settings
        )
        rollouts = RolloutActivities(self._cluster, self._watches, self._objects)
        drift = DriftPlaneActivities(self._cluster, self._objects)
        runs_of_tasks = TaskRunActivities(self._cluster, self._watches)
        return Worker(
            self._client,
            task_queue=ids.plane_queue(self._settings.worker.plane),
            activities=[
                runs.submit_build,
                runs.follow_build,
                runs.stop_build,
                rollouts.apply_release,
                rollouts.follow_rollout,
                ReleaseWatchActivities(self._cluster, self._watches, self._objects).watch_release,
                GateTestActivities(self._cluster, self._watches).run_gate_tests,
                drift.inspect_release,
                drift.put_back_objects,
                runs_of_tasks.start_task_run,
                runs_of_tasks.follow_task_run,
                runs_of_tasks.stop_task_run,
                TenantPlaneActivities(self._cluster).set_up_tenant_plane,
            ],
            interceptors=self._only(),
            max_concurrent_activities=self._settings.worker.plane_tasks,
            max_heartbeat_throttle_interval=_HEARTBEAT,
            graceful_shutdown_timeout=self._settings.worker.graceful_shutdown,
        )

    def _only(self) -> list[Interceptor]:
        """Refuses other organizations where the plane is meant for some."""
        allowed = self._settings.worker.organizations
        return [OnlyOrganizations(allowed)] if allowed else []

    def _secrets(self, signer: TransitSigner) -> Worker:
        return Worker(
            self._client,
            task_queue=ids.SECRETS_QUEUE,
            activities=[SigningActivities(signer).sign_heads],
            activity_executor=ThreadPoolExecutor(_SECRET_TASKS, thread_name_prefix="secrets"),
            max_concurrent_activities=_SECRET_TASKS,
            max_heartbeat_throttle_interval=_HEARTBEAT,
            graceful_shutdown_timeout=self._settings.worker.graceful_shutdown,
        )

    def _versioning(self, behavior: VersioningBehavior) -> WorkerDeploymentConfig | None:
        build_id = self._settings.worker.build_id
        if not build_id:
            return None
        return WorkerDeploymentConfig(
            version=WorkerDeploymentVersion("pavane", build_id),
            use_worker_versioning=True,
            default_versioning_behavior=behavior,
        )

    async def run(self, metrics_port: int) -> None:
        """Runs until ``stop``; running activities are given time to end."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._watches.close)
            stack.push_async_callback(self._git.close)
            stack.push_async_callback(self._notifier.close)
            stack.push_async_callback(self._registry.close)
            health = HealthServer(
                self._settings.worker.listen,
                self._checks(),
                f"http://127.0.0.1:{metrics_port}/metrics",
            )
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(health.serve(), name="health")
                for worker in self.workers():
                    await stack.enter_async_context(worker)
                    _LOG.info("serving task queue %s", worker.task_queue)
                watching = self._watching(group)
                await self._stop.wait()
                _LOG.info("stopping: running activities may end")
                for task in watching:
                    task.cancel()
                await self._close(stack)
                await health.stop()
                await serving

    async def _close(self, stack: AsyncExitStack) -> None:
        """Ends the workers. The SDK's last step may never end, when all activities long have."""
        longest = self._settings.worker.graceful_shutdown + _LAST_STEP
        try:
            async with asyncio.timeout(longest.total_seconds()):
                await stack.aclose()
        except TimeoutError:
            _LOG.warning("a worker did not end within %s s: leaving", longest.total_seconds())

    def _watching(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Starts what turns events into procedures, by the roles."""
        roles, tasks = self._settings.worker.roles, []
        if "intake" in roles:
            intake = Intake(self._cluster, self._client)
            tasks.append(group.create_task(intake.run(), name="intake"))
        if "plane" in roles and self._settings.worker.watch_drift:
            drift = DriftWatch(self._cluster, self._client)
            tasks.append(group.create_task(drift.run(), name="drift watch"))
        return tasks

    def _checks(self) -> dict[str, Check]:
        """What must answer for this process to be ready: only what its roles need."""
        checks: dict[str, Check] = {
            "temporal": self._temporal_answers,
            "kubernetes": self._cluster.ready,
        }
        if "control" in self._settings.worker.roles:
            checks["records"] = self._records.ready
        return checks

    async def _temporal_answers(self) -> None:
        await self._client.service_client.check_health()

    def stop(self) -> None:
        """Ends ``run`` gracefully."""
        self._stop.set()


def signer_of(settings: Settings) -> TransitSigner | None:
    """Returns what signs with OpenBao; None = not this process, or there is no OpenBao."""
    vault = settings.vault
    if "secrets" not in settings.worker.roles or not vault.address or vault.secret_id_file is None:
        return None
    return TransitSigner(
        vault.address,
        vault.role_id,
        vault.secret_id_file,
        key=settings.audit.signing_key,
        mount=vault.transit,
    )


async def _main(plugins: Sequence[Plugin]) -> None:
    settings = load()
    logs.configure(settings.log)
    metrics_port = free_port()
    telemetry = TelemetryConfig(
        metrics=PrometheusConfig(
            bind_address=f"127.0.0.1:{metrics_port}",
            durations_as_seconds=True,
            unit_suffix=True,
            counters_total_suffix=True,
        )
    )
    client = await temporal.connect(runtime=Runtime(telemetry=telemetry), plugins=plugins)
    await search_attributes.register(client)
    cluster = await Cluster.connect(
        settings.kubernetes.kubeconfig,
        settings.kubernetes.context,
        f"pavane-worker/{version('pavane')}",
    )
    records = SqlRecords.open(settings.records.address)
    if "control" in settings.worker.roles and await records.migrate():
        _LOG.info("brought %s up to date", records.place)
    if signer_of(settings) and await schedule_audit_signing(
        client, settings.audit.signing_interval
    ):
        _LOG.info("heads of audit chains are signed every %s", settings.audit.signing_interval)
    process = WorkerProcess(settings, client, cluster, records)
    # The same of what was made of it.
    gc.freeze()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, process.stop)
    try:
        await process.run(metrics_port)
    finally:
        await records.close()
        await cluster.close()


def main(plugins: Sequence[Plugin] = ()) -> None:
    """Runs a worker until it is told to stop; ``plugins`` are added to Pavane's own."""
    asyncio.run(_main(plugins))
    logging.shutdown()
    # The SDK's native threads can crash the interpreter's exit after all work is done.
    os._exit(0)


if __name__ == "__main__":
    main()
