"""What there is on the clusters and in Temporal of one organization, seen past every fault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio.client import Client

from clients.kubernetes import Cluster, Kind, lines, pod_logs
from domain import ids
from tests.faults.people import PATIENCE

PODS = Kind("v1", "Pod", "pods", namespaced=True)
PROJECT, ENVIRONMENT = "shop", "development"
_PAUSE = 0.2
_REVISION = "deployment.kubernetes.io/revision"
_APPLIED = (("apps/v1", "Deployment"), ("v1", "Service"), ("v1", "Pod"))
_OURS = "choreo.dev/v1alpha1"


def condition(obj: dict[str, Any], name: str) -> str:
    """The status of a condition; empty when there is none."""
    conditions = obj.get("status", {}).get("conditions") or ()
    return next((str(one["status"]) for one in conditions if one["type"] == name), "")


class Sight:
    """Looks, changes nothing."""

    def __init__(
        self, organization: str, cluster: Cluster, temporal: Client, environment: str = ENVIRONMENT
    ) -> None:
        self._organization = organization
        self._cluster = cluster
        self._temporal = temporal
        self._environment = environment

    def at(self, environment: str) -> Sight:
        """The same organization, seen in another environment."""
        return Sight(self._organization, self._cluster, self._temporal, environment)

    @property
    def namespace(self) -> str:
        return ids.namespace(self._organization, PROJECT, self._environment)

    @property
    def builds(self) -> str:
        return ids.build_namespace(self._organization)

    async def _all(self, api_version: str, kind: str, namespace: str) -> list[dict[str, Any]]:
        found = await self._cluster.kind_of(api_version, kind)
        return (await self._cluster.list(found, namespace)).items

    async def artifacts(self) -> list[str]:
        """The images of all artifacts."""
        found = await self._all(_OURS, "DeployableArtifact", self._organization)
        return [str(one["spec"].get("image", "")) for one in found]

    async def bindings(self) -> list[str]:
        """The names of all bindings."""
        found = await self._all(_OURS, "ServiceBinding", self._organization)
        return [str(one["metadata"]["name"]) for one in found]

    async def recorded(self) -> list[str]:
        """How each rollout that was written down ended; one written down twice is there twice.

        Left out are deployments that found nothing to do: the intake asks again for what an order
        changed in the binding.
        """
        found = await self._all(_OURS, "Deployment", self._organization)
        ended = [one.get("status", {}) for one in found]
        return sorted(
            str(one.get("phase", ""))
            for one in ended
            if "nothing was" not in one.get("message", "")
        )

    async def argo_workflows(self) -> list[str]:
        """The names of all Argo Workflows there are."""
        found = await self._all("argoproj.io/v1alpha1", "Workflow", self.builds)
        return [str(one["metadata"]["name"]) for one in found]

    async def build_pods(self) -> set[str]:
        """Which pods of builds there are, each by what no other has ever been called."""
        pods = await self._cluster.list(PODS, self.builds)
        return {str(one["metadata"]["uid"]) for one in pods.items}

    async def build_pod_runs(self) -> None:
        """Returns when Argo knows that the pod of a build runs: one lost before is replaced."""
        await self._until(
            self.builds,
            await self._cluster.kind_of("argoproj.io/v1alpha1", "Workflow"),
            lambda one: any(
                node["type"] == "Pod" and node["phase"] == "Running"
                for node in one.get("status", {}).get("nodes", {}).values()
            ),
        )

    async def build_said(self, words: str) -> None:
        """Returns when the log of the build pod has a line that begins so."""
        pods = await self._cluster.list(PODS, self.builds)
        (pod,) = [one["metadata"]["name"] for one in pods.items]
        async with asyncio.timeout(PATIENCE):
            log = pod_logs(self._cluster, self.builds, pod, "main", follow=True)
            async for line in lines(log):
                if line.decode().startswith(words):
                    return
        raise AssertionError(f"the build never said {words!r}")

    async def running(self) -> list[str]:
        """The greetings of the pods that are ready on the plane."""
        pods = await self._cluster.list(PODS, self.namespace)
        return [
            env["value"]
            for pod in pods.items
            if not pod["metadata"].get("deletionTimestamp") and condition(pod, "Ready") == "True"
            for env in pod["spec"]["containers"][0]["env"]
            if env["name"] == "GREETING"
        ]

    async def applied(self) -> list[str]:
        """What there is on the plane, without what is about to go."""
        found = [
            f"{kind}/{one['metadata']['name']}"
            for version, kind in _APPLIED
            for one in await self._all(version, kind, self.namespace)
            if not one["metadata"].get("deletionTimestamp")
        ]
        return sorted(found)

    async def rollouts(self) -> dict[str, str]:
        """How often pods were rolled out, for each Deployment of Kubernetes on the plane."""
        return {
            one["metadata"]["name"]: one["metadata"]["annotations"][_REVISION]
            for one in await self._all("apps/v1", "Deployment", self.namespace)
        }

    async def unschedulable(self) -> None:
        """Returns when the scheduler has found no node for a pod."""
        await self._until(
            self.namespace, PODS, lambda pod: condition(pod, "PodScheduled") == "False"
        )

    async def node_not_ready(self) -> None:
        """Returns when the cluster has noticed that a node is away."""
        nodes = Kind("v1", "Node", "nodes", namespaced=False)
        await self._until("", nodes, lambda node: condition(node, "Ready") == "Unknown")

    async def _until(
        self, namespace: str, kind: Kind, holds: Callable[[dict[str, Any]], bool]
    ) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self._cluster.list(kind, namespace)
                if any(holds(one) for one in found.items):
                    return
                await asyncio.sleep(_PAUSE)

    async def procedures(self, kind: str) -> int:
        """How many runs of a kind of procedure there are."""
        query = f"PavaneOrganization = '{self._organization}' AND PavaneKind = '{kind}'"
        return (await self._temporal.count_workflows(query)).count

    async def pauses(self, operation: str) -> list[float]:
        """How many seconds lie between two tries of what is tried again."""
        workflow_id, _, run_id = operation.rpartition("/")
        handle = self._temporal.get_workflow_handle(workflow_id, run_id=run_id)
        described = await handle.describe()
        return [
            round(one.current_retry_interval.ToNanoseconds() / 1e9, 2)
            for one in described.raw_description.pending_activities
        ]
