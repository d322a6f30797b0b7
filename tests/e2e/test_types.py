"""Components of the other types on real pods: deployed, answering, run, upgraded, refused."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from temporalio.client import Client

from clients.kubernetes import Cluster, Kind
from domain import ids
from domain.deliveries import ClassUpgradeRequest, TaskRunRequest
from domain.deliveries.trees import TreeRequest
from domain.policies.runs import MOST_RUNS
from domain.rendering.labels import ORGANIZATION
from domain.resources import API_VERSION, KINDS
from runtime.client import connect
from tests.integration.resources.conftest import established
from workflows.looks.starting import look_at_tree
from workflows.starting import start_class_upgrade, start_task_run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.sampled]

PATIENCE = 240
JOBS = Kind("batch/v1", "Job", "jobs", namespaced=True)
CRON_JOBS = Kind("batch/v1", "CronJob", "cronjobs", namespaced=True)
DEPLOYMENTS = Kind("apps/v1", "Deployment", "deployments", namespaced=True)
DATA_PLANES = Kind(API_VERSION, "DataPlane", "dataplanes", namespaced=True)
NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)
POD = {"spec": {"securityContext": {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001}}}
SERVE = ["python3", "-m", "http.server", "8080", "--directory"]
PUBLIC = {"name": "http", "port": 8080, "visibility": "public"}


class Tenant:
    """One organization with everything that components need."""

    def __init__(self, cluster: Cluster, image: str) -> None:
        self.name = f"types-{secrets.token_hex(3)}"
        self.image = image
        self._cluster = cluster

    async def declare(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        metadata = {"name": name, "namespace": self.name}
        if KINDS[kind].scope == "Cluster":
            del metadata["namespace"]
        content = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
        await self._cluster.apply(content, manager="test", force=True)

    async def set_up(self) -> None:
        labels = {ORGANIZATION: self.name}
        namespace = {"apiVersion": "v1", "kind": "Namespace"}
        await self._cluster.apply({**namespace, "metadata": {"name": self.name, "labels": labels}})
        await self.declare("Organization", self.name, {})
        await self.declare("DataPlane", "local", {"gateway": {"domain": "localhost"}})
        await self._is_looked_at()  # what its gateway lacks is refused by name from then on
        await self.declare("Environment", "dev", {"dataPlaneRef": "local"})
        paths = [{"sourceEnvironmentRef": "dev"}]
        await self.declare("DeploymentPipeline", "line", {"promotionPaths": paths})
        await self.declare("Project", "shop", {"deploymentPipelineRef": "line"})
        running = {"deploymentTemplate": {"replicas": 1, "template": POD}}
        server = {"image": self.image, "command": [*SERVE, "/srv/www"], "port": 8080}
        await self.declare("ServiceClass", "standard-service", running)
        await self.declare("APIClass", "standard-api", running)
        await self.declare(
            "WebApplicationClass", "standard-web-application", {**running, "staticServer": server}
        )
        await self.declare(
            "ScheduledTaskClass",
            "standard-scheduled-task",
            {"taskTemplate": {"backoffLimit": 0, "template": POD}},
        )

    async def _is_looked_at(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                plane = await self._cluster.get(DATA_PLANES, "local", self.name)
                if plane.get("status", {}).get("checked"):
                    return
                await asyncio.sleep(0.2)

    async def component(
        self,
        kind: str,
        name: str,
        *,
        instance: dict[str, Any] | None = None,
        workload: dict[str, Any] | None = None,
        project: str = "shop",
        **binding: str,
    ) -> None:
        owner = {"componentOwner": {"projectRef": project}, "componentType": kind}
        await self.declare("Component", name, owner)
        await self.declare(kind, name, {"componentRef": name, **(instance or {})})
        await self.declare("Workload", name, {"componentRef": name, **(workload or {})})
        made = {"componentRef": name, "image": self.image}
        await self.declare("DeployableArtifact", f"{name}-1", made)
        await self.bind(kind, name, **binding)

    async def bind(self, kind: str, name: str, **spec: Any) -> None:
        wanted = {"componentRef": name, "environmentRef": "dev", "artifactRef": f"{name}-1"}
        await self.declare(f"{kind}Binding", ids.binding_name(name, "dev"), wanted | spec)

    async def judged(self, kind: str, name: str) -> dict[str, Any]:
        """Returns the binding once its present generation was worked on to an end."""
        model = KINDS[f"{kind}Binding"]
        of_kind = Kind(API_VERSION, model.kind, model.plural, namespaced=True)
        binding = ids.binding_name(name, "dev")
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self._cluster.get(of_kind, binding, self.name)
                status = found.get("status", {})
                ready: dict[str, Any] = next(
                    (one for one in status.get("conditions", ()) if one["type"] == "Ready"), {}
                )
                current = ready.get("observedGeneration") == found["metadata"]["generation"]
                if current and ready["reason"] not in {"Deploying", "ReferenceMissing"}:
                    return {**status, "ready": ready}
                await asyncio.sleep(0.5)

    @property
    def namespace(self) -> str:
        return ids.namespace(self.name, "shop", "dev")


@pytest.fixture(scope="module")
async def cluster(stack: dict[str, str]) -> AsyncIterator[Cluster]:
    made = await Cluster.connect(Path(stack["KUBECONFIG"]))
    yield made
    await made.close()


@pytest.fixture(scope="module")
async def temporal(stack: dict[str, str]) -> Client:
    return await connect()


@pytest.fixture(scope="module")
async def tenant(cluster: Cluster, stack: dict[str, str]) -> AsyncIterator[Tenant]:
    host = stack["PAVANE_REGISTRY__PULL_HOST"]
    repository, tag = stack["PAVANE_BUILD__RUNTIME_IMAGE"].removeprefix(f"{host}/").rsplit(":", 1)
    accept = {
        "Accept": "application/vnd.oci.image.manifest.v1+json,"
        "application/vnd.oci.image.index.v1+json,"
        "application/vnd.docker.distribution.manifest.v2+json"
    }
    async with httpx.AsyncClient() as http:
        url = f"{stack['PAVANE_REGISTRY__URL']}/v2/{repository}/manifests/{tag}"
        digest = (await http.head(url, headers=accept)).headers["Docker-Content-Digest"]
    made = Tenant(cluster, f"{host}/{repository}@{digest}")
    await made.set_up()
    yield made
    for kind in ("Organization",):
        model = KINDS[kind]
        of_kind = Kind(API_VERSION, model.kind, model.plural, namespaced=False)
        await cluster.delete(of_kind, made.name)
    await cluster.delete(NAMESPACES, made.namespace)


async def answer(stack: dict[str, str], url: str) -> httpx.Response:
    """Asks a URL through the gateway, until it does not say that nobody is there."""
    parts = urlsplit(url)
    async with httpx.AsyncClient() as http, asyncio.timeout(60):
        while True:
            found = await http.get(
                f"{stack['PAVANE_GATEWAY__URL']}{parts.path}",
                headers={"Host": parts.hostname or ""},
                follow_redirects=False,
            )
            if found.status_code not in {404, 502, 503}:
                return found
            await asyncio.sleep(0.3)


async def test_a_web_application_with_files_of_its_workload_answers(
    tenant: Tenant, stack: dict[str, str]
) -> None:
    await tenant.component(
        "WebApplication",
        "site",
        workload={
            "containers": [{"name": "main", "command": [*SERVE, "/srv"]}],
            "files": [{"path": "/srv/index.html", "content": "<h1>Shop</h1>"}],
            "endpoints": [PUBLIC],
        },
    )
    status = await tenant.judged("WebApplication", "site")
    assert status["ready"]["status"] == "True", status["ready"]
    assert "<h1>Shop</h1>" in (await answer(stack, status["url"])).text


async def test_a_static_application_is_served_by_its_class(
    tenant: Tenant, stack: dict[str, str]
) -> None:
    # The image holds no site of its own; a folder of its library will do.
    await tenant.component(
        "WebApplication",
        "papers",
        instance={"mode": "Static", "staticRoot": "/usr/lib/python3.11/json"},
    )
    status = await tenant.judged("WebApplication", "papers")
    assert status["ready"]["status"] == "True", status["ready"]
    assert "decoder.py" in (await answer(stack, status["url"])).text


async def test_what_is_scaled_by_load_comes_back_from_a_suspension(
    tenant: Tenant, cluster: Cluster
) -> None:
    load = {"autoscaling": {"minReplicas": 2, "maxReplicas": 3}}
    await tenant.component(
        "Service",
        "busy",
        workload={"containers": [{"name": "main", "command": [*SERVE, "/etc"]}]},
    )
    assert (await tenant.judged("Service", "busy"))["ready"]["status"] == "True"
    for state, replicas in (("Active", 2), ("Suspend", 0), ("Active", 2)):
        await tenant.bind("Service", "busy", workload=load, state=state)
        ready = (await tenant.judged("Service", "busy"))["ready"]
        assert ready["status"] == "True", ready
        found = await cluster.get(DEPLOYMENTS, "busy", tenant.namespace)
        assert found["spec"]["replicas"] == replicas, state
    autoscaler = Kind(
        "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", namespaced=True
    )
    assert (await cluster.get(autoscaler, "busy", tenant.namespace))["spec"]["maxReplicas"] == 3


async def test_an_api_answers_at_its_version(tenant: Tenant, stack: dict[str, str]) -> None:
    await tenant.component(
        "API",
        "orders",
        instance={"version": "v2"},
        workload={
            "containers": [{"name": "main", "command": [*SERVE, "/srv"]}],
            "files": [{"path": "/srv/orders/index.html", "content": "no orders"}],
            "endpoints": [{**PUBLIC, "basePath": "/orders/"}],
        },
    )
    status = await tenant.judged("API", "orders")
    assert status["ready"]["status"] == "True", status["ready"]
    assert urlsplit(status["url"]).path == "/v2/orders/"
    assert "no orders" in (await answer(stack, status["url"])).text


async def test_a_scheduled_task_runs_when_asked_and_is_suspended_and_removed(
    tenant: Tenant, cluster: Cluster, temporal: Client
) -> None:
    await tenant.component(
        "ScheduledTask",
        "report",
        instance={"schedule": {"cron": "0 6 * * *", "timeZone": "Europe/Berlin"}},
        workload={"containers": [{"name": "main", "command": ["python3", "-c", "print(3)"]}]},
    )
    status = await tenant.judged("ScheduledTask", "report")
    assert status["ready"]["status"] == "True", status["ready"]
    cron_job = await cluster.get(CRON_JOBS, "report", tenant.namespace)
    assert cron_job["spec"]["timeZone"] == "Europe/Berlin"

    request = TaskRunRequest(
        organization=tenant.name, component="report", environment="dev", key="once"
    )
    done = await (await start_task_run(temporal, request)).result()
    job = await cluster.get(JOBS, done.job, tenant.namespace)
    assert job["status"]["succeeded"] == 1
    assert job["metadata"]["ownerReferences"][0]["name"] == "report"
    look = TreeRequest(
        organization=tenant.name, component="report", environment="dev", runs=MOST_RUNS
    )
    nodes = (await look_at_tree(temporal, look, "")).nodes
    (run,) = (one.details for one in nodes if one.name == done.job)
    assert (run["state"], run["manual"]) == ("Succeeded", "true")

    await tenant.bind("ScheduledTask", "report", state="Suspend")
    assert (await tenant.judged("ScheduledTask", "report"))["ready"]["reason"] == "Suspended"
    assert (await cluster.get(CRON_JOBS, "report", tenant.namespace))["spec"]["suspend"] is True
    await tenant.bind("ScheduledTask", "report", state="Undeploy")
    assert (await tenant.judged("ScheduledTask", "report"))["ready"]["reason"] == "Undeployed"
    assert await cluster.find(CRON_JOBS, "report", tenant.namespace) is None


async def test_a_changed_class_reaches_what_runs_by_an_upgrade_only(
    tenant: Tenant, cluster: Cluster, temporal: Client
) -> None:
    template = {"replicas": 1, "template": POD}
    await tenant.declare("ServiceClass", "standard-service", {"deploymentTemplate": template})
    await tenant.component(
        "Service",
        "stock",
        workload={"containers": [{"name": "main", "command": [*SERVE, "/etc"]}]},
    )
    before = await tenant.judged("Service", "stock")
    assert before["ready"]["status"] == "True", before["ready"]

    changed = {"deploymentTemplate": template, "labels": {"tier": "${environment.name}"}}
    await tenant.declare("ServiceClass", "standard-service", changed)
    await tenant.bind("Service", "stock", workload={"env": [{"name": "A", "value": "b"}]})
    again = await tenant.judged("Service", "stock")
    assert again["classRevisionRef"] == before["classRevisionRef"]
    labels = (await cluster.get(DEPLOYMENTS, "stock", tenant.namespace))["metadata"]["labels"]
    assert "tier" not in labels

    request = ClassUpgradeRequest(
        organization=tenant.name, class_kind="ServiceClass", class_name="standard-service"
    )
    done = await (await start_class_upgrade(temporal, request)).result()
    # Others of the tenant may follow the class too, by the order of the tests.
    assert "stock" in {one.component for one in done.upgraded}
    after = await tenant.judged("Service", "stock")
    assert after["classRevisionRef"] == done.revision != before["classRevisionRef"]
    labels = (await cluster.get(DEPLOYMENTS, "stock", tenant.namespace))["metadata"]["labels"]
    assert labels["tier"] == "dev"


async def queues(cluster: Cluster) -> Kind:
    """Makes a kind that no controller knows; who wants its objects well says so in their status."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    await cluster.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "queues.types.example.org"},
            "spec": {
                "group": "types.example.org",
                "scope": "Namespaced",
                "names": {"kind": "Queue", "plural": "queues"},
                "versions": [version],
            },
        }
    )
    await established(cluster, "queues.types.example.org")
    rule = {"apiGroups": ["types.example.org"], "resources": ["queues"], "verbs": ["*"]}
    label = {"choreo.dev/aggregate-to-plane": "true"}
    rights = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": [rule]}
    await cluster.apply({**rights, "metadata": {"name": "types-queues", "labels": label}})
    return Kind("types.example.org/v1", "Queue", "queues", namespaced=True)


async def test_a_deployment_waits_for_an_object_of_its_class_by_the_rule_of_the_class(
    tenant: Tenant, cluster: Cluster
) -> None:
    kind = await queues(cluster)
    queue = {"apiVersion": kind.api_version, "kind": "Queue", "metadata": {"name": "jobs"}}
    up = "object.status.phase == 'Up'"
    rule = {"apiVersion": kind.api_version, "kind": "Queue", "ready": up}
    await tenant.declare(
        "APIClass",
        "with-queue",
        {
            "deploymentTemplate": {"replicas": 1, "template": POD},
            "objects": [{**queue, "spec": {"owner": "${component.name}"}}],
            "health": [rule],
        },
    )
    await tenant.component(
        "API",
        "buyer",
        workload={"containers": [{"name": "main", "command": [*SERVE, "/etc"]}]},
        apiClassRef="with-queue",
    )
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await cluster.find(kind, "buyer-jobs", tenant.namespace)
            if found is not None:
                break
            await asyncio.sleep(0.3)
    assert found["spec"]["owner"] == "buyer"
    await cluster.apply_status({**found, "status": {"phase": "Up"}})
    ready = (await tenant.judged("API", "buyer"))["ready"]
    assert ready["status"] == "True", ready


async def test_an_object_of_the_whole_cluster_is_refused(tenant: Tenant, cluster: Cluster) -> None:
    wide = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "mine"},
        "spec": {"controller": "example.org/mine"},
    }
    await tenant.declare("APIClass", "greedy", {"objects": [wide]})
    await tenant.component("API", "taker", apiClassRef="greedy")
    ready = (await tenant.judged("API", "taker"))["ready"]
    assert ready["status"] == "False"
    assert "IngressClass/taker-mine is of the whole cluster" in ready["message"]


@pytest.mark.parametrize(
    ("owner", "named", "spec"),
    [
        ("Environment", "dev", {"dataPlaneRef": "local"}),
        ("Project", "small", {"deploymentPipelineRef": "line"}),
    ],
)
async def test_what_is_declared_and_fits_into_no_quota_is_refused_before_anything_is_applied(
    tenant: Tenant, cluster: Cluster, owner: str, named: str, spec: dict[str, str]
) -> None:
    """As with kubectl: only resources are written."""
    project, name = ("small", "greedy-too") if owner == "Project" else ("shop", "greedy")
    await tenant.declare(owner, named, {**spec, "quota": {"cpu": "1"}})
    try:
        needs = {"resources": {"requests": {"cpu": "2"}}}
        await tenant.component(
            "Service",
            name,
            workload={"containers": [{"name": "main", "command": [*SERVE, "/etc"], **needs}]},
            project=project,
        )
        ready = (await tenant.judged("Service", name))["ready"]
    finally:
        await tenant.declare(owner, named, spec)
    assert (ready["status"], ready["reason"]) == ("False", "QuotaExceeded")
    assert f"{owner} {named} allows 1 cpu" in ready["message"]
    assert "this needs 2" in ready["message"]
    namespace = ids.namespace(tenant.name, project, "dev")
    assert await cluster.find(DEPLOYMENTS, name, namespace) is None
