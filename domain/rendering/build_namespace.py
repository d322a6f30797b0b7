"""The namespace in which the builds of one organization run, and the little they may do."""

from __future__ import annotations

from typing import Any

from domain.ids import FIELD_MANAGER
from domain.rendering.labels import MANAGED_BY, ORGANIZATION, SHARED, manifest
from domain.rendering.network import open_egress

TRUST_CONFIG_MAP = "pavane-trust"
TRUST_KEY = "ca.crt"
_RBAC = "rbac.authorization.k8s.io"
_POLICY = "pavane-builds"


def build_namespace(
    name: str, organization: str, service_account: str, trust_bundle: str
) -> list[dict[str, Any]]:
    """Returns the objects that all builds of an organization share, in apply order.

    Args:
        name: The namespace.
        organization: The tenant.
        service_account: Identity of Argo's sidecar in the build pods. The user's own commands get
            no token.
        trust_bundle: CA certificates (PEM) that build pods trust; empty = no such object.
    """
    labels = {MANAGED_BY: FIELD_MANAGER, ORGANIZATION: organization, SHARED: "true"}
    # Capabilities of a default container are needed to build images; privileges are not.
    security = {"pod-security.kubernetes.io/enforce": "baseline"}
    objects = [
        manifest("v1", "Namespace", name, "", labels | security),
        manifest(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            _POLICY,
            name,
            labels,
            spec={
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "egress": open_egress(),
            },
        ),
        manifest(
            "v1",
            "ServiceAccount",
            service_account,
            name,
            labels,
            automountServiceAccountToken=False,
        ),
        _token(service_account, name, labels),
        *_rights(service_account, name, labels),
    ]
    if trust_bundle:
        objects.append(
            manifest(
                "v1", "ConfigMap", TRUST_CONFIG_MAP, name, labels, data={TRUST_KEY: trust_bundle}
            )
        )
    return objects


def _token(service_account: str, namespace: str, labels: dict[str, str]) -> dict[str, Any]:
    """Returns the Secret that the cluster fills with a token; Argo finds it by its name."""
    secret = manifest(
        "v1",
        "Secret",
        f"{service_account}.service-account-token",
        namespace,
        labels,
        type="kubernetes.io/service-account-token",
    )
    secret["metadata"]["annotations"] = {"kubernetes.io/service-account.name": service_account}
    return secret


def _rights(service_account: str, namespace: str, labels: dict[str, str]) -> list[dict[str, Any]]:
    rule = {
        "apiGroups": ["argoproj.io"],
        "resources": ["workflowtaskresults"],
        "verbs": ["create", "patch"],
    }
    binding = {
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": service_account},
        "subjects": [{"kind": "ServiceAccount", "name": service_account, "namespace": namespace}],
    }
    version = f"{_RBAC}/v1"
    return [
        manifest(version, "Role", service_account, namespace, labels, rules=[rule]),
        manifest(version, "RoleBinding", service_account, namespace, labels, **binding),
    ]
