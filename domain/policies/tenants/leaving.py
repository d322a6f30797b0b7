"""Which namespaces an organization leaves on a plane when environments move away. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from domain import ids
from domain.deliveries.tenants import TenantLeaving
from domain.resources.binding import Binding
from domain.resources.component import Project
from domain.resources.environment import Environment
from domain.resources.planes import DataPlane


def remaining_on(
    environments: Iterable[Environment], bindings: Iterable[Binding]
) -> frozenset[tuple[str, str]]:
    """Returns environments with the other planes on which something of them still runs."""
    lies_on = {one.name: one.spec.data_plane_ref for one in environments}
    return frozenset(
        (one.environment, one.status.plane_ref)
        for one in bindings
        if one.status.plane_ref
        and one.status.plane_ref != lies_on.get(one.environment, one.status.plane_ref)
    )


def leavings(
    planes: Collection[DataPlane],
    projects: Collection[Project],
    environments: Collection[Environment],
    remaining: frozenset[tuple[str, str]],
) -> tuple[TenantLeaving, ...]:
    """Returns what is to be left, by plane: the places of environments that lie on others.

    Planes of one task queue are one cluster, so nothing is left between them. Whether two other
    planes are one is found on the spot.
    """
    living = [one for one in environments if not one.is_deleted]
    queues = {one.name: one.task_queue for one in planes}
    found = []
    for plane in planes:
        away = [
            one
            for one in living
            if queues.get(one.spec.data_plane_ref, plane.task_queue) != plane.task_queue
            and (one.name, plane.name) not in remaining
        ]
        namespaces = sorted(
            ids.namespace(plane.organization, project.name, one.name)
            for project in projects
            if not project.is_deleted
            for one in away
        )
        if namespaces and not plane.is_deleted:
            found.append(
                TenantLeaving(
                    organization=plane.organization,
                    plane=plane.name,
                    task_queue=plane.task_queue,
                    namespaces=tuple(namespaces),
                )
            )
    return tuple(found)
