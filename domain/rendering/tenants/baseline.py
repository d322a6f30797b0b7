"""What no component of an organization can open: the way from and to other organizations.

Namespaces of projects are closed from when they are made, not from the first release on. Where the
plane enforces CiliumNetworkPolicies, a policy of the whole cluster denies besides what no rule of
a namespace could allow again: Cilium lets a denial win over everything that is allowed.
"""

from __future__ import annotations

from typing import Any

from domain.ids import FIELD_MANAGER
from domain.rendering.labels import ENVIRONMENT, MANAGED_BY, ORGANIZATION, manifest

_NAMESPACE_LABEL = "k8s:io.cilium.k8s.namespace.labels."


def organization_denials(organization: str) -> dict[str, Any]:
    """Returns the policy of a cluster by which organizations never talk to each other.

    It is about namespaces of projects; builds have none of the label. A policy that only denies
    closes whatever no other one opens, which those namespaces are anyway.
    """
    owner = f"{_NAMESPACE_LABEL}{ORGANIZATION}"
    others = {
        "matchExpressions": [
            {"key": owner, "operator": "Exists"},
            {"key": owner, "operator": "NotIn", "values": [organization]},
        ]
    }
    selected = {
        "matchLabels": {owner: organization},
        "matchExpressions": [{"key": f"{_NAMESPACE_LABEL}{ENVIRONMENT}", "operator": "Exists"}],
    }
    return manifest(
        "cilium.io/v2",
        "CiliumClusterwideNetworkPolicy",
        f"pavane-{organization}",
        "",
        {MANAGED_BY: FIELD_MANAGER, ORGANIZATION: organization},
        spec={
            "endpointSelector": selected,
            "ingressDeny": [{"fromEndpoints": [others]}],
            "egressDeny": [{"toEndpoints": [others]}],
        },
    )
