"""An organization of a scenario: what is declared, what is asked for, how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from temporalio.client import Client

from activities.common.kinds import ARGO_WORKFLOWS
from clients.kubernetes import Cluster
from clients.kubernetes.kinds import Kind
from clients.registry import Registry
from domain import ids
from domain.deliveries import (
    BuildRequest,
    ClassUpgradeRequest,
    DeployRequest,
    TaskRunRequest,
)
from domain.resources.classes import DEFAULT_SCHEDULED_TASK_CLASS, DEFAULT_SERVICE_CLASS
from tests.durability.asked import Asked
from tests.durability.declared import COMPONENT, TASK, service_class, task_class, workload
from tests.durability.source import DOCKERFILE, commit, git
from workflows.deployments.deployment import DeployWorkflow
from workflows.starting import (
    enqueue_deployment,
    request_build,
    signal_deployment,
    start_build,
    start_class_upgrade,
    start_task_run,
)

PROJECT, ENVIRONMENT = "shop", "dev"
GOOD, BETTER, CRASHING, SILENT = ("a" * 40, "b" * 40, "c" * 40, "d" * 40)
"""Commits of the versions: what a version does hangs on its first letter."""
PATIENT, SHORT = 180, 20
"""Seconds a rollout may take: generous for a machine under load, short where it is to be missed."""
ORGANIZATION = Kind("choreo.dev/v1alpha1", "Organization", "organizations", namespaced=False)
BINDING = Kind("choreo.dev/v1alpha1", "ServiceBinding", "servicebindings", namespaced=True)


Answer = TypeVar("Answer")


class Place(Asked):
    """One organization with one component."""

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        client: Client,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(client)
        self.name = name
        self.cluster = cluster
        self.environment = environment
        self.folder = Path()
        """Where the source of builds lies."""

    async def apply(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        obj: dict[str, Any] = {
            "apiVersion": "choreo.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": spec,
        }
        if kind != "Organization":
            obj["metadata"]["namespace"] = self.name
        await self.cluster.apply(obj, manager="person", force=True)

    async def declare(self, *, builds: bool = True) -> None:
        """Everything a component needs; it is small, so that its pods are ready soon."""
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}}
        await self.cluster.apply(namespace, manager="person")
        await self.apply("Organization", self.name, {})
        await self.apply("DataPlane", "local", {})
        await self.apply("BuildPlane", "local", {})
        await self.apply("Environment", ENVIRONMENT, {"dataPlaneRef": "local"})
        path = {"sourceEnvironmentRef": ENVIRONMENT}
        await self.apply("DeploymentPipeline", "default", {"promotionPaths": [path]})
        await self.apply("Project", PROJECT, {"deploymentPipelineRef": "default"})
        await self.rollouts_may_take(PATIENT)
        await self.apply("Workload", COMPONENT, workload())
        await self.component(builds=builds)

    async def component(self, *, builds: bool) -> None:
        """The component; one that says how it is built is built by the intake at once."""
        spec: dict[str, Any] = {"componentOwner": {"projectRef": PROJECT}, "autoDeploy": True}
        if builds:
            spec["buildSpecInComponent"] = {
                "repository": self.repository,
                "testCommand": ["sh", "-c", "test ! -e /srv/broken"],
            }
        await self.apply("Component", COMPONENT, spec)

    async def rollouts_may_take(self, seconds: int) -> None:
        await self.apply("ServiceClass", DEFAULT_SERVICE_CLASS, service_class(seconds))

    @property
    def repository(self) -> str:
        return f"{self.environment['PAVANE_GIT__URL']}/{self.name}/{COMPONENT}.git"

    async def artifact(self, commit: str) -> str:
        """Writes a version that was not built here; what it does hangs on its commit."""
        name = f"{COMPONENT}-{commit[:4]}"
        image = await runtime_image(self.environment)
        spec = {"componentRef": COMPONENT, "image": image, "commit": commit}
        await self.apply("DeployableArtifact", name, spec)
        return name

    async def bind(self, commit: str) -> None:
        """Wishes for a version and leaves the rest to the intake."""
        spec = {"environmentRef": ENVIRONMENT, "componentRef": COMPONENT}
        spec["artifactRef"] = await self.artifact(commit)
        await self.apply("ServiceBinding", ids.binding_name(COMPONENT, ENVIRONMENT), spec)
        await self.begun(self.queue)

    async def set_up(self) -> None:
        """Waits until the intake says that the organization is set up, so that it stays so."""
        while True:
            found = await self.cluster.get(ORGANIZATION, self.name)
            told = found.get("status", {}).get("conditions", ())
            if any((one["type"], one["status"]) == ("Ready", "True") for one in told):
                return
            await asyncio.sleep(0.1)

    @property
    def queue(self) -> str:
        """The procedure that deploys the component."""
        return ids.deploy_id(self.name, COMPONENT, ENVIRONMENT)

    async def _request(self, commit: str, interfaces: str = "") -> DeployRequest:
        return DeployRequest(
            organization=self.name, component=COMPONENT, environment=ENVIRONMENT,
            request_id=f"deploy-{commit[:4]}", artifact=await self.artifact(commit),
            interfaces=interfaces,
        )  # fmt: skip

    async def deploy(self, commit: str, interfaces: str = "") -> None:
        """Asks for a version by a signal; ``interfaces`` is the state of Connections it is for."""
        await self._ask(await self._request(commit, interfaces))

    async def enqueue(self, commit: str) -> int:
        """Asks for a version by an update, as the API does; returns its place in the queue."""
        request = await self._request(commit)
        answers = await self.each(lambda: enqueue_deployment(self.client, request))
        for handle, _ in answers:
            self.remember(handle)
        return min(told.position for _, told in answers)

    async def withdraw(self, commit: str) -> bool:
        """Takes a version that waits out of the queue."""
        handle = self.client.get_workflow_handle_for(DeployWorkflow.run, self.queue)
        request_id = f"deploy-{commit[:4]}"
        return await handle.execute_update(
            DeployWorkflow.withdraw, request_id, id=f"withdraw-{request_id}"
        )

    async def undeploy(self) -> None:
        """Wishes for nothing to run, and asks for that."""
        name = ids.binding_name(COMPONENT, ENVIRONMENT)
        await self.cluster.patch(BINDING, name, self.name, {"spec": {"state": "Undeploy"}})
        await self._ask(DeployRequest(
            organization=self.name, component=COMPONENT, environment=ENVIRONMENT,
            request_id="undeploy",
        ))  # fmt: skip

    async def upgrade_class(self) -> None:
        """Changes the class and asks that what runs comes to it."""
        await self.rollouts_may_take(PATIENT + 1)
        request = ClassUpgradeRequest(
            organization=self.name, class_kind="ServiceClass", class_name=DEFAULT_SERVICE_CLASS
        )
        for handle in await self.each(lambda: start_class_upgrade(self.client, request)):
            self.remember(handle)

    async def deploy_task(self) -> None:
        """Brings a scheduled task there that runs only when it is asked to."""
        await self.apply("ScheduledTaskClass", DEFAULT_SCHEDULED_TASK_CLASS, task_class())
        owner = {"projectRef": PROJECT}
        component = {"componentOwner": owner, "componentType": "ScheduledTask"}
        await self.apply("Component", TASK, component)
        schedule = {"cron": "0 0 1 1 *"}
        await self.apply("ScheduledTask", TASK, {"componentRef": TASK, "schedule": schedule})
        main = {"name": "main", "command": ["python3", "-c", "import time; time.sleep(3)"]}
        await self.apply("Workload", TASK, {"componentRef": TASK, "containers": [main]})
        image = await runtime_image(self.environment)
        await self.apply("DeployableArtifact", TASK, {"componentRef": TASK, "image": image})
        await self._ask(DeployRequest(
            organization=self.name, component=TASK, environment=ENVIRONMENT,
            request_id="deploy-task", artifact=TASK,
        ))  # fmt: skip

    async def runtime(self, *arguments: str) -> dict[str, Any]:
        """A container of Python, as tests of a gate may be."""
        image = await runtime_image(self.environment)
        return {"image": image, "command": ["python3", *arguments]}

    @property
    def namespace(self) -> str:
        """Where the component runs on the plane."""
        return ids.namespace(self.name, PROJECT, ENVIRONMENT)

    async def run_task(self) -> None:
        """Asks for one run."""
        request = TaskRunRequest(
            organization=self.name, component=TASK, environment=ENVIRONMENT, key="one"
        )
        for _ in range(self.times):
            self.remember(await start_task_run(self.client, request))

    async def _ask(self, request: DeployRequest) -> None:
        for handle in await self.each(lambda: signal_deployment(self.client, request)):
            self.remember(handle)

    async def build(self, commit: str, branch: str = "main") -> None:
        """Asks for the build of a commit."""
        request = BuildRequest(
            organization=self.name, component=COMPONENT, commit=commit, branch=branch
        )
        for started in await self.each(lambda: start_build(self.client, request)):
            self.remember(self.client.get_workflow_handle(started.workflow_id))

    async def request_build(self, commit: str) -> None:
        """Asks for the build of the branch, which is at a commit."""
        request = BuildRequest(organization=self.name, component=COMPONENT, revision="main")
        for handle in await self.each(lambda: request_build(self.client, request, "one")):
            self.remember(handle)
        build = ids.build_id(self.name, COMPONENT, commit)
        self.remember(self.client.get_workflow_handle(build))

    async def commit(self, message: str, **files: str) -> str:
        """Commits a small image's source and returns the commit's id; not pushed yet."""
        content = {"Dockerfile": DOCKERFILE, "message": message, **files}
        return await asyncio.to_thread(commit, self.folder, message, content)

    async def push(self) -> None:
        await asyncio.to_thread(git, self.folder, "push", "--quiet", self.repository, "main")

    async def argo_is(self, commit: str, *phases: str) -> None:
        """Waits until the Argo Workflow of a commit is in one of the phases."""
        namespace, name = ids.build_namespace(self.name), ids.build_name(COMPONENT, commit)
        while True:
            found = await self.cluster.find(ARGO_WORKFLOWS, name, namespace) or {}
            if found.get("status", {}).get("phase") in phases:
                return
            await asyncio.sleep(0.2)


_images: dict[str, str] = {}


async def runtime_image(environment: Mapping[str, str]) -> str:
    """The Python image of the stack's registry, by digest."""
    name = environment["PAVANE_BUILD__RUNTIME_IMAGE"]
    if name not in _images:
        registry = Registry(
            environment["PAVANE_REGISTRY__URL"], environment["PAVANE_REGISTRY__PULL_HOST"]
        )
        digest = await registry.digest_of(name)
        await registry.close()
        _images[name] = f"{name.rpartition(':')[0]}@{digest}"
    return _images[name]
