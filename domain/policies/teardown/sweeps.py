"""What is to be gone from planes when a resource is: namespaces, or objects in them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from domain import ids
from domain.deliveries.teardown import PlaneSweep
from domain.resources.base import Resource
from domain.resources.component import Component, Project
from domain.resources.environment import Environment
from domain.resources.planes import BuildPlane, DataPlane


def sweeps_of(target: Resource, resources: Sequence[Resource]) -> tuple[PlaneSweep, ...]:
    """Returns what is to be swept for a resource whose parts are gone, by plane.

    It is done even where nothing should be left: what a release that is forgotten had once made
    is found by its labels.
    """
    match target:
        case Component():
            return _places(resources, project=target.project, component=target.name)
        case Project():
            return _places(resources, project=target.name)
        case Environment():
            return _places([*resources, target], environment=target.name)
        case DataPlane() | BuildPlane():
            return (_of_plane(target, resources),)
        case _:
            return ()


def _places(
    resources: Iterable[Resource], *, project: str = "", environment: str = "", component: str = ""
) -> tuple[PlaneSweep, ...]:
    known = list(resources)
    planes = {one.name: one for one in known if isinstance(one, DataPlane)}
    named = {one.name for one in known if isinstance(one, Project)}
    projects = sorted({project} if project else named)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one in known:
        if not isinstance(one, Environment) or (environment and one.name != environment):
            continue
        if one.spec.data_plane_ref in planes:
            found[one.spec.data_plane_ref] |= {
                ids.namespace(one.organization, each, one.name) for each in projects
            }
    return tuple(
        PlaneSweep(
            organization=planes[name].organization,
            plane=name,
            task_queue=planes[name].task_queue,
            namespaces=tuple(sorted(namespaces)),
            component=component,
        )
        for name, namespaces in sorted(found.items())
    )


def _of_plane(plane: DataPlane | BuildPlane, resources: Iterable[Resource]) -> PlaneSweep:
    """Several resources may stand for one cluster; what they have in common stays to the last."""
    shared = any(
        isinstance(one, type(plane)) and one.task_queue == plane.task_queue
        for one in resources
        if one.name != plane.name
    )
    builds = isinstance(plane, BuildPlane) and not shared
    return PlaneSweep(
        organization=plane.organization,
        plane=plane.name,
        task_queue=plane.task_queue,
        namespaces=(ids.build_namespace(plane.organization),) if builds else (),
        admission=isinstance(plane, DataPlane) and not shared,
    )
