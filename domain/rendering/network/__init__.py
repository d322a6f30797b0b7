"""The namespace of a project in an environment, and who may talk to whom in it.

Nothing goes in or out that is not declared. What a component may call is in its own policy; who may
call it is told by a label that the caller's pods carry, so a new connection changes the caller only
(docs/decisions/0021).
"""

from __future__ import annotations

from domain.rendering.network.cilium import cilium_policy
from domain.rendering.network.closing import held_open
from domain.rendering.network.kubernetes import kubernetes_policy
from domain.rendering.network.namespaces import default_deny, deny_all, namespace, open_egress
from domain.rendering.network.policies import component_policy, notes, policy_health

__all__ = [
    "cilium_policy",
    "component_policy",
    "default_deny",
    "deny_all",
    "held_open",
    "kubernetes_policy",
    "namespace",
    "notes",
    "open_egress",
    "policy_health",
]
