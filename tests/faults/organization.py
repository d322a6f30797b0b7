"""One organization on the shared stack: what is declared in it and ordered there."""

from __future__ import annotations

import hashlib
import os
from copy import copy
from typing import Any

from temporalio.client import Client

from clients.kubernetes import Cluster, Kind
from tests.faults.people import Operation, Person, told
from tests.faults.sight import ENVIRONMENT, PROJECT, Sight
from tests.faults.source import runtime_image


class Organization:
    """Declares what a delivery needs, past every fault, and gives orders."""

    def __init__(self, name: str, cluster: Cluster, temporal: Client, person: Person) -> None:
        self.name = name
        self.cluster = cluster
        self.person = person
        self.seen = Sight(name, cluster, temporal)
        self.component = "web"
        """Which component orders are about."""

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
        await self.mine("Environment", ENVIRONMENT, {"dataPlaneRef": "local"})
        path = {"sourceEnvironmentRef": ENVIRONMENT, "targetEnvironmentRefs": []}
        await self.mine("DeploymentPipeline", "pipeline", {"promotionPaths": [path]})
        await self.mine("Project", PROJECT, {"deploymentPipelineRef": "pipeline"})
        await self.service_class()
        await self._declare_component()

    async def with_component(self, name: str) -> Organization:
        """Declares a further component; returns the same organization, to give orders about it."""
        other = copy(self)
        other.component = name
        await other._declare_component()
        return other

    async def _declare_component(self) -> None:
        base = os.environ.get("PAVANE_GIT__URL", "http://git.test")
        repository = f"{base}/{self.name}/{self.component}.git"
        await self.mine(
            "Component",
            self.component,
            {
                "componentOwner": {"projectRef": PROJECT},
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
        # The platform takes the rest down by itself, if it runs.
        organizations = await self.cluster.kind_of("choreo.dev/v1alpha1", "Organization")
        await self.cluster.delete(organizations, self.name)
        namespaces = Kind("v1", "Namespace", "namespaces", namespaced=False)
        for name in (self.name, self.seen.namespace, self.seen.builds):
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
        spec = {"componentRef": self.component, "containers": [main], "endpoints": [endpoint]}
        await self.mine("Workload", self.component, spec)
        artifact = (
            f"{self.component}-{hashlib.sha256(f'{greeting} {image}'.encode()).hexdigest()[:8]}"
        )
        await self.mine(
            "DeployableArtifact", artifact, {"componentRef": self.component, "image": image}
        )
        return artifact

    async def deploy(self, artifact: str) -> str:
        """Orders a deployment; returns the operation."""
        accepted = await self.person.post(
            "/v1/deployments",
            {
                "organization": self.name,
                "component": self.component,
                "environment": ENVIRONMENT,
                "artifact": artifact,
            },
        )
        return str(accepted["id"])

    async def build(self, revision: str) -> str:
        """Orders a build; returns the operation."""
        order = {"organization": self.name, "component": self.component, "revision": revision}
        return str((await self.person.post("/v1/builds", order))["id"])

    async def deployed(self, greeting: str = "hello") -> Operation:
        """Deploys and awaits the end, for tests whose fault comes later."""
        done = await self.person.ended(await self.deploy(await self.workload(greeting)))
        assert done["phase"] == "Succeeded", told(done)
        return done

    async def bind(self, artifact: str) -> None:
        """Changes the binding itself, as somebody with kubectl would."""
        spec = {
            "environmentRef": ENVIRONMENT,
            "componentRef": self.component,
            "artifactRef": artifact,
            "serviceClassRef": "quick",
        }
        await self.mine("ServiceBinding", f"{self.component}-development", spec)
