"""What tests of promotion do to one component on its way, and see of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httpx
from temporalio.client import Client, WorkflowHandle

from activities.common.kinds import DEPLOYMENTS, platform
from clients.kubernetes import Cluster
from domain import ids
from domain.deliveries import OperationStatus, Trigger
from domain.deliveries.promotions import Promotion, PromotionRequest
from domain.rendering.labels import COMPONENT
from domain.resources import ServiceBinding, parse_as
from domain.resources.classes import DEFAULT_SERVICE_CLASS
from tests.integration.intake.organizations import Organization
from workflows.promotions.starting import signal_promotion

_PATIENCE = 60
ACCESS = [
    {"user": "ada@example.test", "role": "admin"},
    {"user": "dev@example.test", "role": "developer"},
]
ENVIRONMENTS = ("dev", "staging", "prod")


class Line(Organization):
    """Component ``web`` with two versions."""

    def __init__(
        self, cluster: Cluster, temporal: Client, name: str, http: httpx.AsyncClient
    ) -> None:
        super().__init__(cluster, name)
        self.temporal = temporal
        self._http = http

    async def prepare(self) -> None:
        await self.cluster.apply(
            {
                "apiVersion": "choreo.dev/v1alpha1",
                "kind": "Organization",
                "metadata": {"name": self.name},
                "spec": {"access": ACCESS},
            },
            manager="person",
        )
        await self.apply("DataPlane", "local", {})
        for environment in ENVIRONMENTS:
            await self.apply("Environment", environment, {"dataPlaneRef": "local"})
        staging = {"name": "staging", "mode": "Auto"}
        prod = {"name": "prod", "approval": {"quorum": 1}}
        paths = [
            {"sourceEnvironmentRef": "dev", "targetEnvironmentRefs": [staging]},
            {"sourceEnvironmentRef": "staging", "targetEnvironmentRefs": [prod]},
        ]
        await self.apply("DeploymentPipeline", "default", {"promotionPaths": paths})
        await self.apply("ServiceClass", DEFAULT_SERVICE_CLASS, {})
        await self.apply("Project", "shop", {"deploymentPipelineRef": "default"})
        await self.component("web")
        endpoint = {"name": "http", "port": 8080, "visibility": "project"}
        spec = {"componentRef": "web", "containers": [{"name": "main"}], "endpoints": [endpoint]}
        await self.apply("Workload", "web", spec)
        for version in "ab":
            await self.artifact(version)

    async def artifact(self, version: str, **more: Any) -> None:
        """Declares a version that was built."""
        image = f"registry.example.com/web@sha256:{version * 64}"
        labels = {COMPONENT: "web"}
        spec = {"componentRef": "web", "image": image, **more}
        await self.apply("DeployableArtifact", f"web-{version}", spec, labels=labels)

    async def edit(self, environment: str, **spec: Any) -> None:
        """Edits a binding as somebody with kubectl does."""
        wanted = {"environmentRef": environment, "componentRef": "web", **spec}
        await self.cluster.apply(
            {
                "apiVersion": "choreo.dev/v1alpha1",
                "kind": "ServiceBinding",
                "metadata": {
                    "name": ids.binding_name("web", environment),
                    "namespace": self.name,
                },
                "spec": wanted,
            },
            manager="kubectl",
            force=True,
        )

    async def bound(
        self, environment: str, holds: Callable[[ServiceBinding], bool]
    ) -> ServiceBinding:
        """Returns the binding once it is as expected."""
        name = ids.binding_name("web", environment)
        async with asyncio.timeout(_PATIENCE):
            while True:
                found = await self.cluster.find(platform("ServiceBinding"), name, self.name)
                if found is not None and holds(parse_as(ServiceBinding, found)):
                    return parse_as(ServiceBinding, found)
                await asyncio.sleep(0.1)

    async def runs(self, environment: str, artifact: str) -> ServiceBinding:
        """Returns the binding once that artifact runs and is ready."""

        def is_so(binding: ServiceBinding) -> bool:
            ready = binding.status.condition("Ready")
            return binding.status.artifact_ref == artifact and ready is not None and ready.is_true

        return await self.bound(environment, is_so)

    async def refused(self, environment: str, gate: str) -> ServiceBinding:
        """Returns the binding once its condition says that this gate is closed."""

        def is_so(binding: ServiceBinding) -> bool:
            ready = binding.status.condition("Ready")
            return (
                ready is not None
                and ready.reason == "GateClosed"
                and f"gate {gate} is closed" in ready.message
                and ready.observed_generation == binding.metadata.generation
            )

        return await self.bound(environment, is_so)

    async def image(self, environment: str) -> str:
        """The image that the plane was told to run; empty = none."""
        namespace = ids.namespace(self.name, "shop", environment)
        found = await self.cluster.find(DEPLOYMENTS, "web", namespace)
        if found is None:
            return ""
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"])

    def request(self, environment: str, **more: Any) -> PromotionRequest:
        return PromotionRequest(
            organization=self.name,
            component="web",
            environment=environment,
            request_id=secrets.token_hex(4),
            trigger=Trigger(actor="dev@example.test"),
            **more,
        )

    async def promote(self, environment: str, **more: Any) -> WorkflowHandle[Any, Promotion]:
        return await signal_promotion(self.temporal, self.request(environment, **more))

    async def waits_in(self, handle: WorkflowHandle[Any, Any], step: str) -> OperationStatus:
        """Returns the status once that step is waited in."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                status: OperationStatus = await handle.query("status", result_type=OperationStatus)
                running = [one.name for one in status.steps if one.phase == "Running"]
                if status.waiting_for is not None and step in running:
                    return status
                await asyncio.sleep(0.1)

    async def ask(self, who: str, environment: str, **more: Any) -> httpx.Response:
        """Asks for a promotion over HTTP."""
        place = {"organization": self.name, "component": "web", "environment": environment}
        return await self._http.post("/v1/promotions", json={**place, **more}, headers=_as(who))

    async def why(self, environment: str) -> dict[str, str]:
        """What stands between, as the API tells it: what -> why."""
        path = f"/v1/components/{self.name}/web/why/{environment}"
        answer = await self._http.get(path, headers=_as("ada"))
        assert answer.status_code == HTTPStatus.OK, answer.text
        return {one["what"]: one["reason"] for one in answer.json()["obstacles"]}

    async def asked(self, environment: str) -> dict[str, Any]:
        """Returns the open approval of a promotion as the API shows it, once it is asked for."""
        return await self.asked_about(ids.promotion_id(self.name, "web", environment))

    async def asked_about(self, subject: str) -> dict[str, Any]:
        """Returns an open approval as the API shows it, once it is asked for."""
        path = f"/v1/approvals/{subject}"
        async with asyncio.timeout(_PATIENCE):
            while True:
                answer = await self._http.get(path, headers=_as("ada"))
                if answer.status_code == HTTPStatus.OK and not answer.json()["outcome"]:
                    return dict(answer.json())
                await asyncio.sleep(0.1)

    async def decide(
        self, who: str, asked: dict[str, Any], decision: str = "approve", reason: str = "seen"
    ) -> httpx.Response:
        """Decides over HTTP about what was seen."""
        seen = {"hash": asked["hash"], "round": asked["round"]}
        return await self._http.post(
            f"/v1/approvals/{asked['subject']}/decision",
            json={"decision": decision, "reason": reason, **seen},
            headers=_as(who),
        )

    async def approve(self, environment: str) -> dict[str, Any]:
        """Agrees to the promotion that waits; returns what was asked."""
        asked = await self.asked(environment)
        answer = await self.decide("ada", asked)
        assert answer.status_code == HTTPStatus.OK, answer.text
        return asked


def _as(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {who}"}
