"""What all components of a project share in an environment: a namespace that denies by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import manifest, shared_labels

_DENY_ALL = "pavane-default-deny"
LINK_LOCAL = "169.254.0.0/16"
LINK_LOCAL_V6 = "fe80::/10"


def namespace(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns the namespace that all components of the project share in the environment."""
    security = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")
    }
    return manifest("v1", "Namespace", facts.namespace, "", shared_labels(facts) | security)


def default_deny(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns the policy by which a pod nobody declared anything about talks to nobody."""
    return deny_all(facts.namespace, shared_labels(facts))


def deny_all(namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """Returns the policy that closes a namespace, exactly as a release applies it."""
    return manifest(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        _DENY_ALL,
        namespace,
        labels,
        spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    )


def open_egress() -> list[dict[str, Any]]:
    """Returns rules that let everything out but calls to link-local addresses, as builds need it.

    Pods by selector and the rest by address, as some planes match pods by selector only.
    Name servers are let through by port: a node's own one has a link-local address.
    """
    anywhere = [
        {"namespaceSelector": {}},
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": [LINK_LOCAL]}},
        {"ipBlock": {"cidr": "::/0", "except": [LINK_LOCAL_V6]}},
    ]
    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return [{"to": anywhere}, {"ports": dns}]
