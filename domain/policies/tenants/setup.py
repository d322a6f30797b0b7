"""What the set-up of an organization is made of, and what is said of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

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
) -> str:
    """Returns a hash that changes when the set-up would be another one."""
    made_of = [
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
    return ids.content_hash(made_of)[:16]
