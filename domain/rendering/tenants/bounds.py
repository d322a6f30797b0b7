"""What a project's namespace on a plane is bounded by, beside the platform's own quotas.

The platform refuses what does not fit before it applies it. These bounds hold for whatever comes
into the namespace another way, so they leave room for a rollout, in which old and new pods run.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from domain.ids import FIELD_MANAGER
from domain.rendering.labels import (
    ENVIRONMENT,
    MANAGED_BY,
    ORGANIZATION,
    PLANE,
    PROJECT,
    SHARED,
    manifest,
)
from domain.rendering.network import deny_all
from domain.rendering.quantities import amount

BOUNDS = "pavane-bounds"
"""Name of ResourceQuota and LimitRange of each namespace of a project."""
_ROOM = 2
_LEAST = {"cpu": "50m", "memory": "64Mi"}


def project_namespace(organization: str, project: str, environment: str, name: str) -> Any:
    """Returns the namespace of a project in an environment, exactly as a release applies it."""
    labels = _shared(organization, project, environment)
    security = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")
    }
    return manifest("v1", "Namespace", name, "", labels | security)


def project_denial(organization: str, project: str, environment: str, namespace: str) -> Any:
    """Returns the policy that closes it, exactly as a release applies it."""
    return deny_all(namespace, _shared(organization, project, environment))


def _shared(organization: str, project: str, environment: str) -> dict[str, str]:
    return {
        MANAGED_BY: FIELD_MANAGER,
        ORGANIZATION: organization,
        PROJECT: project,
        ENVIRONMENT: environment,
        SHARED: "true",
    }


def project_bounds(
    organization: str,
    namespace: str,
    cpu: tuple[str, ...],
    memory: tuple[str, ...],
    plane: str = "",
) -> list[Any]:
    """Returns ResourceQuota and LimitRange of a project's namespace.

    The ResourceQuota tells for which plane the namespace was set up: two planes may be one cluster.

    Ports of nodes and load balancers of the cloud are never given: traffic enters by the gateway.
    Of several quotas the smallest counts; each holds for more than this namespace, so it bounds it.
    """
    labels = {MANAGED_BY: FIELD_MANAGER, ORGANIZATION: organization}
    hard = {"services.nodeports": "0", "services.loadbalancers": "0"}
    request: dict[str, str] = {}
    for resource, given in (("cpu", cpu), ("memory", memory)):
        if given:
            hard[f"requests.{resource}"] = _plain(
                min(amount(one, "quota") for one in given) * _ROOM
            )
            request[resource] = _LEAST[resource]
    bounds = [{"type": "Container", "defaultRequest": request}] if request else []
    quota = manifest("v1", "ResourceQuota", BOUNDS, namespace, labels, spec={"hard": hard})
    if plane:
        quota["metadata"]["annotations"] = {PLANE: plane}
    return [
        quota,
        manifest("v1", "LimitRange", BOUNDS, namespace, labels, spec={"limits": bounds}),
    ]


def _plain(value: Decimal) -> str:
    return str(int(value)) if value == value.to_integral_value() else f"{int(value * 1000)}m"
