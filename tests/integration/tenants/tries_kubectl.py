"""Tries with kubectl and the identity of somebody of alpha."""

from __future__ import annotations

import asyncio
from typing import Any

from clients.kubernetes import Kind
from domain.errors import Denied, Errored, PlatformError
from tests.integration.tenants.hostile import (
    ALPHA,
    BETA,
    Hands,
    Scene,
    attempt,
    kind,
    refused,
    resource,
)

KUBECTL = "kubectl"
COMPONENTS = kind("Component", "components")
SECRETS = kind("Secret", "secrets", api="v1")
PODS = kind("Pod", "pods", api="v1")
NAMESPACES = kind("Namespace", "namespaces", namespaced=False, api="v1")
ORGANIZATIONS = kind("Organization", "organizations", namespaced=False)
CONFIG_MAPS = kind("ConfigMap", "configmaps", api="v1")
POLICY = "admissionregistration.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"
FORBIDDEN = (Denied, Errored)


def people(scene: Scene) -> tuple[Hands, Hands]:
    return scene.developer, scene.admin


@attempt(KUBECTL, "reads resources of beta, by namespace and over all namespaces", "forbidden")
async def read_resources(scene: Scene) -> None:
    for who in people(scene):
        await refused(who.kubectl.list(COMPONENTS, BETA), *FORBIDDEN)
        await refused(who.kubectl.get(COMPONENTS, "web", BETA), *FORBIDDEN)
        await refused(who.kubectl.list(COMPONENTS), *FORBIDDEN)


@attempt(KUBECTL, "writes a resource into beta", "forbidden")
async def write_resources(scene: Scene) -> None:
    spec = {"componentOwner": {"projectRef": "shop"}}
    for who in people(scene):
        await refused(who.kubectl.create(resource("Component", "t", BETA, spec)), *FORBIDDEN)
        await refused(who.kubectl.delete(COMPONENTS, "web", BETA), *FORBIDDEN)


@attempt(KUBECTL, "reads Secrets: beta's, the platform's and alpha's own", "forbidden")
async def read_secrets(scene: Scene) -> None:
    for who in people(scene):
        for namespace in (BETA, f"{BETA}-shop-dev", "pavane-system", ALPHA, f"{ALPHA}-shop-dev"):
            await refused(who.kubectl.list(SECRETS, namespace), *FORBIDDEN)
        await refused(who.kubectl.list(CONFIG_MAPS, f"{BETA}-shop-dev"), *FORBIDDEN)


@attempt(KUBECTL, "reads pods and logs in beta's namespaces", "forbidden")
async def read_pods(scene: Scene) -> None:
    for who in people(scene):
        await refused(who.kubectl.list(PODS, f"{BETA}-shop-dev"), *FORBIDDEN)
        await until_allowed(who, PODS, f"{ALPHA}-shop-dev")  # their own they may


async def until_allowed(who: Hands, of_kind: Kind, namespace: str) -> None:
    """Lists as soon as the API server heeds the rights that it was just given."""
    async with asyncio.timeout(30):
        while True:
            try:
                await who.kubectl.list(of_kind, namespace)
            except PlatformError:
                await asyncio.sleep(0.2)
            else:
                return


@attempt(KUBECTL, "runs a pod in beta's or alpha's namespaces", "forbidden: only releases do")
async def run_pod(scene: Scene) -> None:
    for who in people(scene):
        for namespace in (f"{BETA}-shop-dev", f"{ALPHA}-shop-dev", ALPHA):
            await refused(who.kubectl.create(_pod(namespace)), *FORBIDDEN)


@attempt(KUBECTL, "gives itself rights: binds roles in alpha and beta", "forbidden")
async def bind_roles(scene: Scene) -> None:
    for who in people(scene):
        for namespace in (ALPHA, BETA, f"{ALPHA}-shop-dev"):
            binding = {
                "apiVersion": RBAC,
                "kind": "RoleBinding",
                "metadata": {"name": "mine", "namespace": namespace},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": "cluster-admin",
                },
                "subjects": [
                    {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": who.name}
                ],
            }
            await refused(who.kubectl.create(binding), *FORBIDDEN)


@attempt(KUBECTL, "reads or changes Organizations: beta's, all, and alpha's access", "forbidden")
async def organizations(scene: Scene) -> None:
    access = {"spec": {"access": [{"user": "ann", "role": "admin"}]}}
    for who in people(scene):
        await refused(who.kubectl.list(ORGANIZATIONS), *FORBIDDEN)
        await refused(who.kubectl.get(ORGANIZATIONS, BETA), *FORBIDDEN)
        for name in (ALPHA, BETA):
            await refused(who.kubectl.patch(ORGANIZATIONS, name, "", access), *FORBIDDEN)
        found = await who.kubectl.get(ORGANIZATIONS, ALPHA)
        assert found["metadata"]["name"] == ALPHA


@attempt(KUBECTL, "takes away the walls: namespaces' labels, quotas, admission", "forbidden")
async def walls(scene: Scene) -> None:
    policies = kind(
        "ValidatingAdmissionPolicy", "validatingadmissionpolicies", namespaced=False, api=POLICY
    )
    quotas = kind("ResourceQuota", "resourcequotas", api="v1")
    label = {"metadata": {"labels": {"choreo.dev/organization": BETA}}}
    for who in people(scene):
        await refused(who.kubectl.patch(NAMESPACES, f"{ALPHA}-shop-dev", "", label), *FORBIDDEN)
        await refused(who.kubectl.delete(policies, f"pavane-images-{ALPHA}"), *FORBIDDEN)
        await refused(who.kubectl.delete(quotas, "pavane-bounds", f"{ALPHA}-shop-dev"), *FORBIDDEN)
        await refused(who.kubectl.list(NAMESPACES), *FORBIDDEN)


@attempt(KUBECTL, "writes the status of a binding, as only procedures do", "forbidden")
async def write_status(scene: Scene) -> None:
    bindings = kind("ServiceBinding", "servicebindings")
    status = {"status": {"releaseRef": "crafted"}}
    for who in people(scene):
        await refused(who.kubectl.patch(bindings, "web-dev", ALPHA, status, "status"), *FORBIDDEN)


@attempt(
    KUBECTL,
    "a developer writes what platform engineers own: environments, planes, releases, artifacts",
    "forbidden",
)
async def write_platform_kinds(scene: Scene) -> None:
    for of_kind, spec in (
        ("Environment", {"dataPlaneRef": "local"}),
        ("DataPlane", {"taskQueue": "plane.beta"}),
        ("ServiceClass", {}),
        (
            "DeployableArtifact",
            {"componentRef": "web", "image": f"r.test/x@sha256:{'a' * 64}"},
        ),
    ):
        await refused(
            scene.developer.kubectl.create(resource(of_kind, "crafted", ALPHA, spec)), *FORBIDDEN
        )


def _pod(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "mine", "namespace": namespace},
        "spec": {"containers": [{"name": "a", "image": "nginx"}]},
    }
