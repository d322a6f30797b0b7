"""Writes what the platform sees of a resource into its status."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from clients.kubernetes.cluster import Cluster
from domain.resources import Resource, Status, set_condition

S = TypeVar("S", bound=Status)

MANAGER = "pavane-procedures"
"""Apart from the manager of plain observations, so that neither removes what the other wrote."""


def now() -> datetime:
    """Returns the present time as Kubernetes keeps it: UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def judged(
    status: S, *, ready: bool, reason: str, message: str, generation: int, at: datetime
) -> S:
    """Returns the status with its ``Ready`` condition set for a generation."""
    conditions = set_condition(
        status.conditions,
        "Ready",
        "True" if ready else "False",
        reason or ("Ready" if ready else "NotReady"),
        message,
        observed_generation=generation,
        now=at,
    )
    return status.model_copy(update={"conditions": conditions, "observed_generation": generation})


async def write_status(cluster: Cluster, resource: Resource, status: Status) -> None:
    """Applies a whole status; what it had besides and Pavane wrote is removed.

    Idempotent: equal content writes nothing.
    """
    changed = resource.model_copy(update={"status": status})
    await cluster.apply_status(changed.status_manifest(), manager=MANAGER)


async def write_status_of(
    cluster: Cluster, model: type[Resource], name: str, namespace: str, status: Status
) -> None:
    """Applies a whole status of a resource that need not be read for it.

    Idempotent: equal content writes nothing.

    Raises:
        NotFound: The resource does not exist.
    """
    identity = {"name": name, "namespace": namespace}
    manifest = {
        "apiVersion": model.api_version,
        "kind": model.kind,
        "metadata": {key: value for key, value in identity.items() if value},
        "status": status.model_dump(mode="json", by_alias=True),
    }
    await cluster.apply_status(manifest, manager=MANAGER)
