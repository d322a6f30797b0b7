"""Which configuration groups a component uses, in the order in which they are laid together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from domain.rendering.facts import GroupUse
from domain.resources.component import Component, Project
from domain.resources.configuration import ConfigurationGroup
from domain.resources.organization import Organization

Level = Literal["organization", "project", "component"]


def named_groups(
    component: Component, project: Project | None, organization: Organization | None
) -> Iterator[tuple[Level, str]]:
    """Yields level and name of each group; one that several levels name counts at the last."""
    named: list[tuple[Level, str]] = [
        *(("organization", one) for one in _refs(organization)),
        *(("project", one) for one in _refs(project)),
        *(("component", one) for one in component.spec.configuration_group_refs),
    ]
    last = {name: index for index, (_, name) in enumerate(named)}
    yield from (one for index, one in enumerate(named) if last[one[1]] == index)


def used_groups(
    component: Component,
    project: Project | None,
    organization: Organization | None,
    group: Callable[[str], ConfigurationGroup],
) -> tuple[GroupUse, ...]:
    """Returns the groups with the content that ``group`` finds for each name."""
    return tuple(
        GroupUse(level=level, group=group(name))
        for level, name in named_groups(component, project, organization)
    )


def _refs(owner: Project | Organization | None) -> tuple[str, ...]:
    return owner.spec.configuration_group_refs if owner else ()
