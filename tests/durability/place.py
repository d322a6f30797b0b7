"""An organization of a scenario: what is declared, what is asked for, how it ended."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.kinds import ARGO_WORKFLOWS
from clients.kubernetes import Cluster
from clients.kubernetes.kinds import Kind
from clients.registry import Registry
from domain import ids
from domain.deliveries import BuildRequest, DeployRequest
from domain.deliveries.promotions import PromotionRequest
from domain.deliveries.rollbacks import RollbackRequest
from domain.resources.classes import DEFAULT_SERVICE_CLASS
from tests.durability.orders import without_organization
from workflows.promotion_starting import signal_promotion, start_rollback
from workflows.starting import request_build, signal_deployment, start_build

COMPONENT, PROJECT, ENVIRONMENT, STAGING = "web", "shop", "dev", "staging"
GOOD, BETTER, CRASHING, SILENT = ("a" * 40, "b" * 40, "c" * 40, "d" * 40)
"""Commits of the versions: what a version does hangs on its first letter."""
_SERVER = """
import http.server, os, signal, sys, time
commit = os.environ.get("PAVANE_COMMIT", "")
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
if commit.startswith("c"):
    sys.exit("crashed: a setting is missing")
while commit.startswith("d"):
    time.sleep(1)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(commit.encode())
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
_DOCKERFILE = """ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
COPY . /srv
"""
"""One layer: each more is a copy of the whole image to the builder."""
SLOW = f"{_DOCKERFILE}RUN sleep 120\n"
"""Long enough that it is still built when a newer commit comes, whoever is killed meanwhile."""
PATIENT, SHORT = 180, 20
"""Seconds a rollout may take: generous for a machine under load, short where it is to be missed."""


class Place:
    """One organization with one component."""

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster,
        client: Client,
        environment: Mapping[str, str],
    ) -> None:
        self.name = name
        self.cluster = cluster
        self.client = client
        self.environment = environment
        self.times = 1
        """How often each request is sent; more than once shows that equal requests are one."""
        self.operations: dict[str, WorkflowHandle[Any, Any]] = {}
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

    async def declare(self, *, auto_deploy: bool = True) -> None:
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
        await self.apply("Workload", COMPONENT, _workload())
        await self.apply(
            "Component",
            COMPONENT,
            {
                "componentOwner": {"projectRef": PROJECT},
                "autoDeploy": auto_deploy,
                "buildSpecInComponent": {
                    "repository": self.repository,
                    "testCommand": ["sh", "-c", "test ! -e /srv/broken"],
                },
            },
        )

    async def rollouts_may_take(self, seconds: int) -> None:
        await self.apply("ServiceClass", DEFAULT_SERVICE_CLASS, _service_class(seconds))

    @property
    def repository(self) -> str:
        return f"{self.environment['PAVANE_GIT__URL']}/{self.name}/{COMPONENT}.git"

    async def artifact(self, commit: str) -> str:
        """Writes a version that was not built here; what it does hangs on its commit."""
        name = f"{COMPONENT}-{commit[:4]}"
        image = await _runtime_image(self.environment)
        spec = {"componentRef": COMPONENT, "image": image, "commit": commit}
        await self.apply("DeployableArtifact", name, spec)
        return name

    async def deploy(self, commit: str) -> None:
        """Asks for a version."""
        await self._ask(DeployRequest(
            organization=self.name, component=COMPONENT, environment=ENVIRONMENT,
            request_id=f"deploy-{commit[:4]}", artifact=await self.artifact(commit),
        ))  # fmt: skip

    async def undeploy(self) -> None:
        """Wishes for nothing to run, and asks for that."""
        name = ids.binding_name(COMPONENT, ENVIRONMENT)
        wished = {"spec": {"state": "Undeploy"}}
        kind = Kind("choreo.dev/v1alpha1", "ServiceBinding", "servicebindings", namespaced=True)
        await self.cluster.patch(kind, name, self.name, wished)
        await self._ask(DeployRequest(
            organization=self.name, component=COMPONENT, environment=ENVIRONMENT,
            request_id="undeploy",
        ))  # fmt: skip

    async def add_staging(self) -> None:
        """A second environment, to which the pipeline leads from the first one."""
        await self.apply("Environment", STAGING, {"dataPlaneRef": "local"})
        target = {"name": STAGING, "watchSeconds": 2}
        path = {"sourceEnvironmentRef": ENVIRONMENT, "targetEnvironmentRefs": [target]}
        await self.apply("DeploymentPipeline", "default", {"promotionPaths": [path]})

    async def promote(self) -> None:
        """Asks for what runs in the first environment to go on."""
        request = PromotionRequest(
            organization=self.name, component=COMPONENT, environment=STAGING, request_id="promote"
        )
        for _ in range(self.times):
            self.remember(await signal_promotion(self.client, request))

    async def roll_back(self) -> None:
        """Asks for what ran before in the first environment."""
        request = RollbackRequest(
            organization=self.name, component=COMPONENT, environment=ENVIRONMENT, request_id="back"
        )
        for _ in range(self.times):
            self.remember(await start_rollback(self.client, request))

    async def _ask(self, request: DeployRequest) -> None:
        for _ in range(self.times):
            self.remember(await signal_deployment(self.client, request))

    async def build(self, commit: str, branch: str = "main") -> None:
        """Asks for the build of a commit."""
        request = BuildRequest(
            organization=self.name, component=COMPONENT, commit=commit, branch=branch
        )
        for _ in range(self.times):
            started = await start_build(self.client, request)
            self.remember(self.client.get_workflow_handle(started.workflow_id))

    async def request_build(self, commit: str) -> None:
        """Asks for the build of the branch, which is at a commit."""
        request = BuildRequest(organization=self.name, component=COMPONENT, revision="main")
        for _ in range(self.times):
            self.remember(await request_build(self.client, request, "one"))
        build = ids.build_id(self.name, COMPONENT, commit)
        self.remember(self.client.get_workflow_handle(build))

    async def commit(self, message: str, **files: str) -> str:
        """Commits a small image's source and returns the commit's id; not pushed yet."""
        content = {"Dockerfile": _DOCKERFILE, "message": message, **files}
        return await asyncio.to_thread(_commit, self.folder, message, content)

    async def push(self) -> None:
        await asyncio.to_thread(_git, self.folder, "push", "--quiet", self.repository, "main")

    async def argo_is(self, commit: str, *phases: str) -> None:
        """Waits until the Argo Workflow of a commit is in one of the phases."""
        namespace, name = ids.build_namespace(self.name), ids.build_name(COMPONENT, commit)
        while True:
            found = await self.cluster.find(ARGO_WORKFLOWS, name, namespace) or {}
            if found.get("status", {}).get("phase") in phases:
                return
            await asyncio.sleep(0.2)

    def remember(self, handle: WorkflowHandle[Any, Any]) -> None:
        self.operations[handle.id] = handle

    async def ended(self) -> None:
        """Waits until everything that was asked for has ended, well or not."""
        for handle in sorted(self.operations.values(), key=lambda one: one.id):
            # A request of a build ends before the build that it starts is sure to exist.
            try:
                await handle.result()
            except WorkflowFailureError:
                continue

    async def outcomes(self) -> list[dict[str, Any]]:
        """How everything that was asked for ended, as a caller sees it."""
        found = []
        for workflow_id, handle in sorted(self.operations.items()):
            status = (await handle.describe()).status
            outcome: dict[str, Any] = {
                "workflow": without_organization(workflow_id),
                "status": status.name if status else "",
            }
            try:
                result = await handle.result()
                outcome["result"] = result if isinstance(result, dict) else result.model_dump()
            except WorkflowFailureError as error:
                cause = error.cause
                outcome["failure"] = str(cause)
                if isinstance(cause, ApplicationError):
                    outcome["type"] = cause.type
            found.append(outcome)
        return found


def _service_class(deadline: int) -> dict[str, Any]:
    return {
        "deploymentTemplate": {
            "replicas": 1,
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": deadline,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "template": {
                "spec": {
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "terminationGracePeriodSeconds": 7,
                    "securityContext": {"runAsNonRoot": True, "runAsUser": 10001},
                    "containers": [
                        {
                            "name": "main",
                            "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}},
                            "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                        }
                    ],
                }
            },
        }
    }


def _workload() -> dict[str, Any]:
    return {
        "componentRef": COMPONENT,
        "containers": [
            {
                "name": "main",
                "command": ["python3", "-c", _SERVER],
                "readiness": {"path": "/", "periodSeconds": 1},
            }
        ],
        "endpoints": [{"name": "http", "port": 8080, "type": "HTTP", "visibility": "public"}],
    }


_images: dict[str, str] = {}


async def _runtime_image(environment: Mapping[str, str]) -> str:
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


def _commit(folder: Path, message: str, files: Mapping[str, str]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".git").exists():
        _git(folder, "init", "--quiet", "--initial-branch=main")
    for name, content in files.items():
        (folder / name).write_text(content)
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", message)
    return _git(folder, "rev-parse", "HEAD")


def _git(folder: Path, *arguments: str) -> str:
    """Runs git as nobody in particular, at one moment: equal sources are equal commits."""
    made = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        made |= {f"GIT_{role}_NAME": "Dev", f"GIT_{role}_EMAIL": "dev@example.test"}
        made[f"GIT_{role}_DATE"] = "2026-01-01T00:00:00Z"
    done = subprocess.run(
        ("git", *arguments), cwd=folder, env={"PATH": os.environ["PATH"], **made},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()
