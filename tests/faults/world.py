"""One organization on the shared stack, and the faults that hit it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client

from clients.kubernetes import Cluster, Kind, lines, pod_logs
from devstack import faults
from devstack.state import StateDir
from domain import ids

PATIENCE = 120.0
_PAUSE = 0.2
_REVISION = "deployment.kubernetes.io/revision"
_COMPONENT = "web"
_PROJECT = "shop"
_ENVIRONMENT = "development"
Operation = dict[str, Any]


class Person:
    """Somebody who uses the API of the stack."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def post(self, path: str, body: Any) -> Any:
        answer = await self.client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def shown(self, operation_id: str) -> Operation:
        answer = await self.client.get(f"/v1/operations/{operation_id}")
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def sees(self, operation_id: str, holds: Callable[[Operation], object]) -> Operation:
        """Returns the operation once it is as wanted; an API that is away is asked again."""
        shown: object = "never asked"
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        answer = await self.client.get(f"/v1/operations/{operation_id}")
                    except httpx.TransportError as error:
                        shown = error
                    else:
                        shown = answer.json()
                        if answer.is_success and holds(answer.json()):
                            return dict(answer.json())
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise AssertionError(f"never as wanted, last seen: {shown}") from None

    async def ended(self, operation_id: str) -> Operation:
        return await self.sees(operation_id, lambda shown: shown["finished"])


def told(shown: Operation) -> str:
    """An operation as a failing test tells it, whole."""
    return json.dumps(shown, indent=1)


def runs(name: str) -> Callable[[Operation], bool]:
    """Tells of an operation whether it is in the step of that name."""

    def in_step(shown: Operation) -> bool:
        return any(one["name"] == name and one["phase"] == "Running" for one in shown["steps"])

    return in_step


def retrying(shown: Operation, what: str = "") -> list[Operation]:
    """The entries of what is tried again that begin with these words."""
    return [one for one in shown["retrying"] if one["what"].startswith(what)]


class Organization:
    """Declares what a delivery needs, and looks at what became of it, past every fault."""

    def __init__(self, name: str, cluster: Cluster, temporal: Client, person: Person) -> None:
        self.name = name
        self.cluster = cluster
        self.temporal = temporal
        self.person = person

    @property
    def namespace(self) -> str:
        return ids.namespace(self.name, _PROJECT, _ENVIRONMENT)

    @property
    def builds(self) -> str:
        return ids.build_namespace(self.name)

    async def apply(self, kind: str, name: str, spec: dict[str, Any], namespace: str = "") -> None:
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        await self.cluster.apply(
            {
                "apiVersion": "choreo.dev/v1alpha1",
                "kind": kind,
                "metadata": metadata,
                "spec": spec,
            },
            manager="person",
            force=True,
        )

    async def declare(self) -> None:
        """The platform, a project and a component; nothing is built or deployed yet."""
        await self.cluster.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}}
        )
        access = [
            {"group": "platform-engineers", "role": "admin"},
            {"group": "developers", "role": "developer"},
        ]
        await self.apply("Organization", self.name, {"access": access})
        await self.mine("DataPlane", "local", {"gateway": {"domain": "localhost"}})
        await self.mine("BuildPlane", "local", {})
        await self.mine("Environment", _ENVIRONMENT, {"dataPlaneRef": "local"})
        path = {"sourceEnvironmentRef": _ENVIRONMENT, "targetEnvironmentRefs": []}
        await self.mine("DeploymentPipeline", "pipeline", {"promotionPaths": [path]})
        await self.mine("Project", _PROJECT, {"deploymentPipelineRef": "pipeline"})
        await self.service_class()
        repository = f"{os.environ.get('PAVANE_GIT__URL', 'http://git.test')}/{self.name}/web.git"
        await self.mine(
            "Component",
            _COMPONENT,
            {
                "componentOwner": {"projectRef": _PROJECT},
                "serviceClassRef": "quick",
                "buildSpecInComponent": {"repository": repository, "branch": "main"},
            },
        )

    async def forget(self) -> None:
        """Removes all of it at once; bindings are let go without their ordered teardown."""
        bindings = await self.cluster.kind_of("choreo.dev/v1alpha1", "ServiceBinding")
        for one in (await self.cluster.list(bindings, self.name)).items:
            name = one["metadata"]["name"]
            free = {"metadata": {"finalizers": None}}
            await self.cluster.patch(bindings, name, self.name, free)
            await self.cluster.delete(bindings, name, self.name)
        organizations = await self.cluster.kind_of("choreo.dev/v1alpha1", "Organization")
        await self.cluster.delete(organizations, self.name)
        namespaces = Kind("v1", "Namespace", "namespaces", namespaced=False)
        for name in (self.name, self.namespace, self.builds):
            await self.cluster.delete(namespaces, name)

    async def mine(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        await self.apply(kind, name, spec, self.name)

    async def service_class(self, *, settle: int = 0, deadline: int = 120) -> None:
        """A class whose pods need ``settle`` seconds, and a rollout at most ``deadline``."""
        template = {
            "replicas": 1,
            "minReadySeconds": settle,
            "progressDeadlineSeconds": deadline,
            "template": {
                "spec": {
                    "terminationGracePeriodSeconds": 10,
                    "securityContext": {"runAsNonRoot": True, "runAsUser": 10001},
                    "containers": [
                        {"name": "main", "resources": {"requests": {"cpu": "10m"}}},
                    ],
                }
            },
        }
        await self.mine("ServiceClass", "quick", {"deploymentTemplate": template})

    async def workload(self, greeting: str = "hello", image: str = "") -> str:
        """Says how the component runs; returns the artifact that can be deployed then."""
        image = image or await runtime_image()
        main = {
            "name": "main",
            "command": ["python3", "-m", "http.server", "8080", "--directory", "/tmp"],
            "env": [{"name": "GREETING", "value": greeting}],
            "readiness": {"path": "/", "periodSeconds": 1},
        }
        endpoint = {"name": "http", "port": 8080, "type": "HTTP", "visibility": "project"}
        spec = {"componentRef": _COMPONENT, "containers": [main], "endpoints": [endpoint]}
        await self.mine("Workload", _COMPONENT, spec)
        artifact = f"web-{hashlib.sha256(f'{greeting} {image}'.encode()).hexdigest()[:8]}"
        await self.mine(
            "DeployableArtifact", artifact, {"componentRef": _COMPONENT, "image": image}
        )
        return artifact

    async def deploy(self, artifact: str) -> str:
        """Orders a deployment; returns the operation."""
        accepted = await self.person.post(
            "/v1/deployments",
            {
                "organization": self.name,
                "component": _COMPONENT,
                "environment": _ENVIRONMENT,
                "artifact": artifact,
            },
        )
        return str(accepted["id"])

    async def push(self, folder: Path, text: str = "one") -> str:
        """Commits a small service to the component's repository; returns the commit."""
        source = f"{os.environ['PAVANE_GIT__URL']}/{self.name}/web.git"
        (folder / "Dockerfile").write_text(
            "ARG PYTHON_IMAGE\nFROM ${PYTHON_IMAGE}\nCOPY index.html /srv/index.html\n"
        )
        (folder / "index.html").write_text(text)
        await _git(folder, "init", "--quiet", "--initial-branch=main")
        await _git(folder, "add", "--all")
        await _git(folder, "commit", "--quiet", f"--message={text}")
        await _git(folder, "push", "--quiet", source, "main")
        return (await _git(folder, "rev-parse", "HEAD")).strip()

    async def build(self, revision: str) -> str:
        """Orders a build; returns the operation."""
        order = {"organization": self.name, "component": _COMPONENT, "revision": revision}
        return str((await self.person.post("/v1/builds", order))["id"])

    async def artifacts(self) -> list[str]:
        """The images of all artifacts."""
        kind = await self.cluster.kind_of("choreo.dev/v1alpha1", "DeployableArtifact")
        found = await self.cluster.list(kind, self.name)
        return [str(one["spec"].get("image", "")) for one in found.items]

    async def argo_workflows(self) -> list[str]:
        """The names of all Argo Workflows there are."""
        kind = await self.cluster.kind_of("argoproj.io/v1alpha1", "Workflow")
        found = await self.cluster.list(kind, self.builds)
        return [str(one["metadata"]["name"]) for one in found.items]

    async def build_pod_runs(self) -> None:
        """Returns when Argo knows that the pod of a build runs: one lost before is replaced."""
        await self._seen(
            self.builds,
            await self.cluster.kind_of("argoproj.io/v1alpha1", "Workflow"),
            lambda one: any(
                node["type"] == "Pod" and node["phase"] == "Running"
                for node in one.get("status", {}).get("nodes", {}).values()
            ),
        )

    async def build_pods(self) -> set[str]:
        """Which pods of builds there are, each by what no other has ever been called."""
        pods = await self.cluster.list(Kind("v1", "Pod", "pods", True), self.builds)
        return {str(one["metadata"]["uid"]) for one in pods.items}

    async def build_said(self, words: str) -> None:
        """Returns when the log of the build pod has a line that begins so."""
        pods = await self.cluster.list(Kind("v1", "Pod", "pods", True), self.builds)
        (pod,) = [one["metadata"]["name"] for one in pods.items]
        async with asyncio.timeout(PATIENCE):
            log = pod_logs(self.cluster, self.builds, pod, "main", follow=True)
            async for line in lines(log):
                if line.decode().startswith(words):
                    return
        raise AssertionError(f"the build never said {words!r}")

    async def deployed(self, greeting: str = "hello") -> Operation:
        """Deploys and awaits the end, for tests whose fault comes later."""
        done = await self.person.ended(await self.deploy(await self.workload(greeting)))
        assert done["phase"] == "Succeeded", told(done)
        return done

    async def running(self) -> list[str]:
        """The greetings of the pods that are ready on the plane."""
        pods = await self.cluster.list(Kind("v1", "Pod", "pods", True), self.namespace)
        return [
            env["value"]
            for pod in pods.items
            if not pod["metadata"].get("deletionTimestamp") and condition(pod, "Ready") == "True"
            for env in pod["spec"]["containers"][0]["env"]
            if env["name"] == "GREETING"
        ]

    async def rollouts(self) -> dict[str, str]:
        """How often pods were rolled out, for each Deployment of Kubernetes on the plane."""
        kind = await self.cluster.kind_of("apps/v1", "Deployment")
        found = await self.cluster.list(kind, self.namespace)
        return {
            one["metadata"]["name"]: one["metadata"]["annotations"][_REVISION]
            for one in found.items
        }

    async def unschedulable(self) -> None:
        """Returns when the scheduler has found no node for a pod."""
        await self._seen(
            self.namespace,
            Kind("v1", "Pod", "pods", True),
            lambda pod: condition(pod, "PodScheduled") == "False",
        )

    async def node_not_ready(self) -> None:
        """Returns when the cluster has noticed that a node is away."""
        nodes = Kind("v1", "Node", "nodes", namespaced=False)
        await self._seen("", nodes, lambda node: condition(node, "Ready") == "Unknown")

    async def _seen(
        self, namespace: str, kind: Kind, holds: Callable[[dict[str, Any]], bool]
    ) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.cluster.list(kind, namespace)
                if any(holds(one) for one in found.items):
                    return
                await asyncio.sleep(_PAUSE)

    async def bind(self, artifact: str) -> None:
        """Changes the binding itself, as somebody with kubectl would."""
        spec = {
            "environmentRef": _ENVIRONMENT,
            "componentRef": _COMPONENT,
            "artifactRef": artifact,
            "serviceClassRef": "quick",
        }
        await self.mine("ServiceBinding", "web-development", spec)

    async def recorded(self) -> set[str]:
        """The phases of all deployments that were written down.

        There may be more of them than rollouts: the intake asks again for what an order changed in
        the binding, and finds nothing to do.
        """
        kind = await self.cluster.kind_of("choreo.dev/v1alpha1", "Deployment")
        found = await self.cluster.list(kind, self.name)
        return {str(one.get("status", {}).get("phase", "")) for one in found.items}

    async def runs(self, kind: str) -> int:
        """How many runs of a kind of procedure there are."""
        query = f"PavaneOrganization = '{self.name}' AND PavaneKind = '{kind}'"
        return (await self.temporal.count_workflows(query)).count


def condition(obj: dict[str, Any], name: str) -> str:
    """The status of a condition; empty when there is none."""
    conditions = obj.get("status", {}).get("conditions") or ()
    return next((str(one["status"]) for one in conditions if one["type"] == name), "")


async def _git(folder: Path, *arguments: str) -> str:
    nobody = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        nobody |= {f"GIT_{role}_NAME": "Dev", f"GIT_{role}_EMAIL": "dev@example.test"}
    process = await asyncio.create_subprocess_exec(
        *("git", "-C", str(folder), *arguments),
        env={"PATH": os.environ["PATH"], **nobody},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, arguments
    return output.decode()


async def runtime_image() -> str:
    """The runtime image of the stack, by digest."""
    name = os.environ["PAVANE_BUILD__RUNTIME_IMAGE"]
    host, _, path = name.partition("/")
    repository, _, tag = path.rpartition(":")
    accepted = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
    async with httpx.AsyncClient(trust_env=False) as client:
        found = await client.head(
            f"http://{host}/v2/{repository}/manifests/{tag}", headers={"Accept": accepted}
        )
    assert found.is_success, found.status_code
    return f"{host}/{repository}@{found.headers['docker-content-digest']}"


@asynccontextmanager
async def fault(state: StateDir, name: str, on: str = "") -> AsyncIterator[None]:
    """Lasts as long as the block; by itself it would end a while after the test's patience."""
    await faults.begin(state, name, on, 2 * PATIENCE)
    try:
        yield
    finally:
        await faults.end(state, name, on)
