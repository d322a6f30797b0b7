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

from activities import serving
from activities.serving import Activities, Outside
from clients.assertions import AssertionVerifier
from clients.git import GitRemotes
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.notifications import Notifier, channels
from clients.objects import ObjectStore
from clients.records import SqlRecords
from clients.registry import Registry
from clients.transit import TransitSigner
from clients.web import Web
from domain import ids
from intake.drift import DriftWatch
from intake.service import Intake
from plane_workers import PlaneWorkers
from runtime import client as temporal
from runtime import logging as logs
from runtime import search_attributes
from runtime.codec import codec_of
from runtime.health import Check, HealthServer
from runtime.ports import free_port
from runtime.stopping import close_workers
from runtime.tenancy import OnlyOrganizations
from settings import Settings, load
from workflows.deployments.queues import TemporalDeployQueues
from workflows.promotions.standings import TemporalStandings
from workflows.registry import LANES, PROCEDURES
from workflows.schedules import keep_schedules

gc.freeze()
gc.enable()

_LOG = logging.getLogger("worker")
_HEARTBEAT = timedelta(seconds=1)
"""A cancel arrives with the answer to a heartbeat: this bounds how long it takes."""
_LINGER_SECONDS = 900.0
"""How long a watch of the plane is kept after its last use: the first deployment after a quiet
minute should not wait until all pods are listed again."""

_SECRET_TASKS = 200
"""Activities with secrets at once. Most only wait; a thread is made when one is needed."""

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
        self._outside = Outside(
            settings=settings,
            cluster=cluster,
            watches=SharedWatches(cluster, linger=_LINGER_SECONDS),
            records=records,
            objects=ObjectStore.open(settings.objects.url),
            registry=Registry(settings.registry.url, settings.registry.pull_host),
            git=GitRemotes(),
            notifier=Notifier(channels(settings.notifications)),
            web=Web(),
            decisions=AssertionVerifier(settings.approvals.verify_keys),
            queues=TemporalDeployQueues(client),
            standings=TemporalStandings(client),
        )
        self._stop = asyncio.Event()

    def workers(self) -> list[Worker]:
        """Makes one worker for each task queue of the roles."""
        made = []
        own = self._settings.worker
        roles = own.roles
        if "orchestration" in roles:
            made += [self._orchestration(), self._lanes()]
        if "control" in roles:
            activities = serving.control(self._outside)
            made.append(self._serve(ids.CONTROL_QUEUE, activities, own.short_tasks))
            gates = serving.gates(self._settings, self._outside.web)
            made.append(self._serve(ids.GATES_QUEUE, gates, own.gate_calls))
        if "plane" in roles:
            queue, tasks = ids.plane_queue(own.plane), own.plane_tasks
            only = [OnlyOrganizations(own.organizations)] if own.organizations else []
            made.append(self._serve(queue, serving.plane(self._outside), tasks, guards=only))
        if "secrets" in roles:
            threads = ThreadPoolExecutor(_SECRET_TASKS, thread_name_prefix="secrets")
            activities = serving.secrets(self._settings, signer_of(self._settings))
            made.append(self._serve(ids.SECRETS_QUEUE, activities, _SECRET_TASKS, threads))
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

    def _serve(
        self,
        queue: str,
        activities: Activities,
        at_once: int,
        threads: ThreadPoolExecutor | None = None,
        guards: Sequence[Interceptor] = (),
    ) -> Worker:
        return Worker(
            self._client,
            task_queue=queue,
            activities=activities,
            activity_executor=threads,
            interceptors=guards,
            max_concurrent_activities=at_once,
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
            stack.push_async_callback(self._outside.watches.close)
            stack.push_async_callback(self._outside.git.close)
            stack.push_async_callback(self._outside.notifier.close)
            stack.push_async_callback(self._outside.registry.close)
            stack.push_async_callback(self._outside.web.close)
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
                await close_workers(stack, self._settings.worker.graceful_shutdown)
                await health.stop()
                await serving

    def _watching(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        """Starts what turns events into procedures, by the roles."""
        roles, tasks = self._settings.worker.roles, []
        if "intake" in roles:
            intake = Intake(self._cluster, self._client)
            tasks.append(group.create_task(intake.run(), name="intake"))
        if "plane" in roles and self._settings.worker.watch_drift:
            drift = DriftWatch(self._cluster, self._client)
            tasks.append(group.create_task(drift.run(), name="drift watch"))
        if "planes" in roles:
            planes = PlaneWorkers(
                self._outside, self._client, serving.plane_store(self._settings), self._serve
            )
            tasks.append(group.create_task(planes.run(), name="planes"))
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
    client = await temporal.connect(
        runtime=Runtime(telemetry=telemetry),
        plugins=plugins,
        codec=codec_of(settings.payloads.keys, settings.payloads.active_key),
    )
    await search_attributes.register(client)
    cluster = await Cluster.connect(
        settings.kubernetes.kubeconfig,
        settings.kubernetes.context,
        f"pavane-worker/{version('pavane')}",
    )
    records = SqlRecords.open(settings.records.address)
    if "control" in settings.worker.roles and await records.migrate():
        _LOG.info("brought %s up to date", records.place)
    if signer_of(settings) and await keep_schedules(client, settings.audit.signing_interval):
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
