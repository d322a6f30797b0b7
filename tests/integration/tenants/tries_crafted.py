"""Tries with resources that were crafted to lead the platform itself to what is of beta."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.client import WorkflowFailureError
from temporalio.testing import ActivityEnvironment

from domain.deliveries import ApplyRelease, Bundle, DeployRequest
from domain.deliveries.tenants import TenantRequest
from domain.errors import Conflict, Denied, FieldConflict, InvalidRequest
from domain.resources import Release, parse_as
from runtime.errors import as_domain_error
from tests.integration.tenants.hostile import (
    ALPHA,
    BETA,
    Scene,
    attempt,
    kind,
    refused,
    resource,
)
from workflows.tenants.starting import signal_tenant

CRAFTED = "crafted resource"
THERE, HERE = f"{BETA}-shop-dev", f"{ALPHA}-shop-dev"
CONFIG_MAPS = kind("ConfigMap", "configmaps", api="v1")
DIGEST = f"@sha256:{'a' * 64}"


async def prepared(scene: Scene, component: str, artifact: str) -> Any:
    request = DeployRequest(
        organization=ALPHA,
        component=component,
        environment="dev",
        request_id=f"try-{component}-{artifact}",
        artifact=artifact,
    )
    return await ActivityEnvironment().run(scene.releases.prepare_release, request)


async def applied(scene: Scene, bundle: Bundle, previous: Bundle) -> Any:
    request = ApplyRelease(bundle=bundle, previous=previous, organization=ALPHA)
    return await ActivityEnvironment().run(scene.rollouts.apply_release, request)


async def of_alpha(scene: Scene, of_kind: str, name: str, spec: dict[str, Any]) -> None:
    await scene.cluster.apply(resource(of_kind, name, ALPHA, spec), manager="ann", force=True)


@attempt(CRAFTED, "an artifact of alpha names an image of beta", "refused before it is applied")
async def image_of_beta(scene: Scene) -> None:
    image = f"127.0.0.1:5000/{BETA}/shop/web{DIGEST}"
    await of_alpha(scene, "DeployableArtifact", "stolen", {"componentRef": "web", "image": image})
    said = await refused(prepared(scene, "web", "stolen"), Denied)
    assert "of another organization" in said


@attempt(CRAFTED, "a second container of a Workload runs an image of beta", "refused likewise")
async def sidecar_of_beta(scene: Scene) -> None:
    containers = [
        {"name": "main", "image": f"ghcr.io/alpha/web{DIGEST}"},
        {"name": "spy", "image": f"127.0.0.1:5000/{BETA}/shop/web{DIGEST}"},
    ]
    owner = {"componentOwner": {"projectRef": "shop"}}
    await of_alpha(scene, "Component", "spying", owner)
    await of_alpha(
        scene, "Workload", "spying", {"componentRef": "spying", "containers": containers}
    )
    artifact = {"componentRef": "spying", "image": f"ghcr.io/alpha/web{DIGEST}"}
    await of_alpha(scene, "DeployableArtifact", "spying-1", artifact)
    said = await refused(prepared(scene, "spying", "spying-1"), Denied)
    assert "of another organization" in said


@attempt(
    CRAFTED,
    "something in alpha's namespace, whoever made it, runs an image of beta",
    "refused by the API server",
)
async def pod_with_image_of_beta(scene: Scene) -> None:
    template = {
        "metadata": {"labels": {"app": "spy"}},
        "spec": {"containers": [{"name": "a", "image": f"127.0.0.1:5000/{BETA}/shop/web"}]},
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "spy", "namespace": HERE},
        "spec": {"selector": {"matchLabels": {"app": "spy"}}, "template": template},
    }
    said = await refusal(scene, deployment)  # at once: it was told that the set-up is Ready
    assert "of another organization" in said


async def refusal(scene: Scene, deployment: dict[str, Any]) -> str:
    """What the API server says against an object; empty, and the object gone, when nothing."""
    metadata = deployment["metadata"]
    try:
        await scene.cluster.create(deployment)
    except Denied as denied:
        return denied.message
    deployments = kind("Deployment", "deployments", api="apps/v1")
    await scene.cluster.delete(deployments, metadata["name"], metadata["namespace"])
    return ""


@attempt(
    CRAFTED,
    "references to beta's project, class, plane, artifact and pipeline by path",
    "no valid name: a reference stays in its organization",
)
async def references_by_path(scene: Scene) -> None:
    component = {"componentRef": "web", "environmentRef": "dev", "artifactRef": "web-1"}
    for of_kind, spec in (
        ("Component", {"componentOwner": {"projectRef": f"{BETA}/shop"}}),
        ("Environment", {"dataPlaneRef": f"{BETA}/local"}),
        ("ServiceBinding", component | {"classRef": f"{BETA}/standard"}),
        ("ServiceBinding", component | {"artifactRef": f"../{BETA}/web-1"}),
        ("Project", {"deploymentPipelineRef": f"{BETA}/default"}),
    ):
        await refused(
            scene.cluster.create(resource(of_kind, "crafted", ALPHA, spec)), InvalidRequest
        )


@attempt(CRAFTED, "a binding names an artifact that only beta has", "it does not exist in alpha")
async def artifact_of_beta(scene: Scene) -> None:
    said = await refused(prepared(scene, "web", f"{BETA}-only"), InvalidRequest)
    assert "does not exist" in said


@attempt(CRAFTED, "a Release holds objects in beta's namespace", "refused before it is applied")
async def release_into_beta(scene: Scene) -> None:
    trojan = _config_map("trojan", THERE)
    await refused(
        applied(scene, Bundle(release="r", namespace=HERE, objects=(trojan,)), Bundle()), Denied
    )
    await refused(
        applied(scene, Bundle(release="r", namespace=THERE, objects=(trojan,)), Bundle()), Denied
    )
    assert await scene.cluster.find(CONFIG_MAPS, "trojan", THERE) is None


@attempt(
    CRAFTED,
    "a Release that is to be removed holds objects of beta, so that they are pruned",
    "refused; beta's objects stay",
)
async def release_prunes_beta(scene: Scene) -> None:
    valuable = _config_map("valuable", THERE)
    for namespace in (HERE, THERE):
        previous = Bundle(release="r", namespace=namespace, objects=(valuable,))
        await refused(applied(scene, Bundle(), previous), Denied)
    assert await scene.cluster.find(CONFIG_MAPS, "valuable", THERE) is not None


@attempt(
    CRAFTED,
    "a class of alpha makes an object of the whole cluster by the name of one that is there",
    "refused; undoing what failed leaves it alone",
)
async def release_prunes_the_cluster(scene: Scene) -> None:
    there = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "web-theirs"},
        "spec": {"controller": "example.org/theirs"},
    }
    await scene.cluster.apply(there, manager="ann")
    crafted = {**there, "metadata": {"name": "web-theirs", "namespace": HERE}}
    failed = Bundle(release="r", namespace=HERE, objects=(crafted,))
    await refused(applied(scene, failed, Bundle()), Denied)
    undone = await applied(scene, Bundle(), failed)
    assert undone.pruned == ()
    classes = kind("IngressClass", "ingressclasses", namespaced=False, api="networking.k8s.io/v1")
    assert await scene.cluster.find(classes, "web-theirs") is not None


@attempt(
    CRAFTED,
    "a Release that failed names an object that somebody else keeps in its namespace",
    "undoing it removes only what the platform wrote",
)
async def release_prunes_what_it_never_wrote(scene: Scene) -> None:
    await scene.cluster.apply(_config_map("kept", HERE), manager="ann", force=True)
    wanted = {**_config_map("kept", HERE), "data": {"key": "another"}}
    mine = _config_map("mine", HERE)
    failed = Bundle(release="r", namespace=HERE, objects=(mine, wanted))
    await refused(applied(scene, failed, Bundle()), FieldConflict)
    undone = await applied(scene, Bundle(), failed)
    assert "ConfigMap/kept" not in undone.pruned
    assert (await scene.cluster.get(CONFIG_MAPS, "kept", HERE))["data"] == {"key": "value"}
    assert await scene.cluster.find(CONFIG_MAPS, "mine", HERE) is None


@attempt(
    CRAFTED,
    "a Release names beta's objects in the object store",
    "refused by whoever would read them",
)
async def release_reads_store(scene: Scene) -> None:
    spec = {
        "componentRef": "web",
        "environmentRef": "dev",
        "namespace": THERE,
        "hash": "a" * 64,
        "stored": f"bundles/{BETA}/{THERE}/web-dev-1.json",
    }
    await of_alpha(scene, "Release", "web-dev-1", spec)
    found = await scene.cluster.get(kind("Release", "releases"), "web-dev-1", ALPHA)

    async def read() -> str:
        return parse_as(Release, found).stored

    await refused(read(), Denied)


@attempt(
    CRAFTED,
    "a new organization takes the name of beta's namespace on the plane",
    "its set-up is refused; the namespace stays beta's",
)
async def organization_named_like_a_namespace(scene: Scene) -> None:
    await scene.cluster.apply(resource("Organization", THERE, "", {}), manager="ann")
    handle = await signal_tenant(scene.client, TenantRequest(organization=THERE))
    await refused(_result(handle), Conflict)
    namespaces = kind("Namespace", "namespaces", namespaced=False, api="v1")
    found = await scene.cluster.get(namespaces, THERE)
    assert found["metadata"]["labels"]["choreo.dev/organization"] == BETA


@attempt(
    CRAFTED,
    "a DataPlane of another organization names the task queue of beta's plane",
    "the worker of that plane refuses it",
)
async def queue_of_beta(scene: Scene) -> None:
    await scene.cluster.apply(resource("Organization", "gamma", "", {}), manager="ann")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gamma"}}
    await scene.cluster.apply(namespace, manager="ann")
    plane = resource("DataPlane", "stolen", "gamma", {"taskQueue": f"plane.{BETA}"})
    await scene.cluster.apply(plane, manager="ann")
    handle = await signal_tenant(scene.client, TenantRequest(organization="gamma"))
    said = await refused(_result(handle), Denied)
    assert "does not serve organization gamma" in said


async def _result(handle: Any) -> Any:
    try:
        async with asyncio.timeout(30):
            return await handle.result()
    except WorkflowFailureError as failure:
        raise as_domain_error(failure.cause) from failure


def _config_map(name: str, namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": {"key": "value"},
    }
