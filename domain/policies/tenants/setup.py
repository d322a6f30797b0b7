"""What the set-up of an organization is made of, and what is said of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from domain import ids
from domain.resources.component import Project
from domain.resources.environment import Environment
from domain.resources.organization import Organization
from domain.resources.planes import DataPlane


def setup_hash(
    organization: Organization,
    projects: Iterable[Project],
    environments: Iterable[Environment],
    planes: Iterable[DataPlane],
    remaining: Collection[tuple[str, str]] = (),
) -> str:
    """Returns a hash that changes when the set-up would be another one.

    ``remaining`` are environments with the planes that they have not left yet (``remaining_on``).
    """
    made_of: list[Any] = [
        organization.metadata.uid,
        organization.metadata.generation,
        sorted(
            (one.name, one.spec.quota.cpu, one.spec.quota.memory)
            for one in projects
            if not one.is_deleted
        ),
        sorted(
            (one.name, one.spec.data_plane_ref, one.spec.quota.cpu, one.spec.quota.memory)
            for one in environments
            if not one.is_deleted
        ),
        sorted(
            (
                one.name,
                one.task_queue,
                one.spec.registry.host,
                one.spec.registry.repository_prefix,
                one.spec.network.policies,
            )
            for one in planes
            if not one.is_deleted
        ),
    ]
    if remaining:
        made_of.append(sorted(remaining))
    return ids.content_hash(made_of)[:16]
