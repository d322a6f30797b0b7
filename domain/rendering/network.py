"""The namespace of a project in an environment, and who may talk to whom in it.

Nothing may come in that is not declared. What goes out is not declared yet, so it is free, but for
the addresses at which clouds hand out credentials.
"""

from __future__ import annotations

from typing import Any

from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import (
    ENVIRONMENT,
    ORGANIZATION,
    component_labels,
    manifest,
    selector_labels,
    shared_labels,
)

_NAMESPACE_NAME = "kubernetes.io/metadata.name"
_DENY_ALL = "pavane-default-deny"
_LINK_LOCAL = "169.254.0.0/16"
_LINK_LOCAL_V6 = "fe80::/10"


def namespace(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns the namespace that all components of the project share in the environment."""
    security = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")
    }
    return manifest("v1", "Namespace", facts.namespace, "", shared_labels(facts) | security)


def default_deny(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns the policy by which a pod nobody declared anything about talks to nobody."""
    return manifest(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        _DENY_ALL,
        facts.namespace,
        shared_labels(facts),
        spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    )


def component_policy(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns what the component's pods may receive and send."""
    return manifest(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        facts.component.name,
        facts.namespace,
        component_labels(facts),
        spec={
            "podSelector": {"matchLabels": selector_labels(facts)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": _ingress(facts),
            "egress": open_egress(),
        },
    )


def _ingress(facts: ReleaseFacts) -> list[dict[str, Any]]:
    """One rule an endpoint: each visibility includes the narrower ones."""
    project: dict[str, Any] = {"podSelector": {}}
    organization = {
        "namespaceSelector": {
            "matchLabels": {
                ORGANIZATION: facts.organization,
                ENVIRONMENT: facts.environment.name,
            }
        }
    }
    gateway = {"namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: facts.entrance.namespace}}}
    admitted = {
        "project": [project],
        "organization": [project, organization],
        "public": [project, organization, gateway],
    }
    return [
        {
            "from": admitted[endpoint.visibility],
            "ports": [{"protocol": "TCP", "port": endpoint.port}],
        }
        for endpoint in facts.endpoints
    ]


def open_egress() -> list[dict[str, Any]]:
    """Returns rules that let everything out but calls to link-local addresses.

    Pods by selector and the rest by address, as some planes match pods by selector only.
    Name servers are let through by port: a node's own one has a link-local address.
    """
    anywhere = [
        {"namespaceSelector": {}},
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": [_LINK_LOCAL]}},
        {"ipBlock": {"cidr": "::/0", "except": [_LINK_LOCAL_V6]}},
    ]
    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return [{"to": anywhere}, {"ports": dns}]
