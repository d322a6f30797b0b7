"""Reads the configuration groups that a component uses, and keeps their revisions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TypeVar

from temporalio import activity

from activities.common.kinds import platform
from activities.common.reading import find
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from domain.errors import Conflict, InvalidRequest
from domain.rendering.configuration.groups import named_groups
from domain.rendering.facts import GroupUse
from domain.resources import Component, Organization, Project, Resource, parse_as
from domain.resources.binding import Binding
from domain.resources.configuration import (
    ConfigurationGroup,
    ConfigurationRevision,
    configuration_revision,
)

R = TypeVar("R", bound=Resource)
_REMEMBERED = 1000


class ConfigurationGroups:
    """Knows groups by shared watches: a deployment costs no request.

    A component keeps the revisions it was given (docs/decisions/0019): what a group says now comes
    with a configuration release, which names the revision, so a watch that is behind by a moment
    changes nothing that would not be changed again. Revisions never change, so each is read and
    written once by a process.
    """

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        """``watches`` are those of the control plane."""
        self._cluster = cluster
        self._watches = watches
        self._known: OrderedDict[tuple[str, str], ConfigurationRevision] = OrderedDict()

    async def used(
        self, component: Component, binding: Binding, asked: Mapping[str, str]
    ) -> tuple[GroupUse, ...]:
        """Returns the groups of a component as the binding is to be rendered with.

        Of each group the revision in ``asked`` counts, else the one the binding was given, else its
        present content, which is then kept.

        Raises:
            InvalidRequest: A group that is named does not exist, with the reason
                ``ReferenceMissing``; all of them are named.
        """
        where = component.namespace
        organization = await self._seen(Organization, where, "")
        project = await self._seen(Project, component.project, where)
        given = {one.group_ref: one.revision_ref for one in binding.status.configuration}
        uses, missing = [], []
        for level, name in named_groups(component, project, organization):
            group = await self._seen(ConfigurationGroup, name, where)
            if group is None:
                # Perhaps it was made a moment ago.
                group = await find(self._cluster, ConfigurationGroup, name, where)
            if group is None:
                missing.append(f"{name} (named by the {level})")
                continue
            wanted = asked.get(name) or given.get(name, "")
            group = await self.as_given(group, wanted, is_asked=name in asked)
            uses.append(GroupUse(level=level, group=group))
        if missing:
            raise InvalidRequest(
                f"Component {component.name} needs ConfigurationGroup {', '.join(missing)} in "
                f"{where}, which does not exist: create it",
                facts={"reason": "ReferenceMissing"},
            )
        return tuple(uses)

    async def as_given(
        self, present: ConfigurationGroup, wanted: str, *, is_asked: bool
    ) -> ConfigurationGroup:
        """Returns a group as in a revision; empty = as it is.

        Raises:
            InvalidRequest: The revision that is asked for does not exist or is of another group.
        """
        if not wanted or wanted == present.revision:
            await self.keep(present)
            return present
        revision = await self._read(wanted, present.namespace)
        if revision is not None and revision.spec.group_ref == present.name:
            return revision.of(present)
        if not is_asked:
            await self.keep(present)
            return present
        raise InvalidRequest(
            f"ConfigurationRevision {wanted} is none of ConfigurationGroup {present.name}: name "
            "another one",
            facts={"reason": "ReferenceMissing"},
        )

    async def keep(self, present: ConfigurationGroup) -> None:
        """Writes the present content down. Idempotent: it is named by its content."""
        key = (present.namespace, present.revision)
        if key in self._known:
            return
        revision = configuration_revision(present)
        try:
            await self._cluster.create(revision.manifest())
        except Conflict:
            activity.logger.debug("ConfigurationRevision %s is kept already", revision.name)
        self._remember(key, revision)

    async def _seen(self, model: type[R], name: str, namespace: str) -> R | None:
        watch = self._watches.of(platform(model.kind))
        await watch.synced()
        found = watch.store.get((namespace, name))
        return None if found is None else parse_as(model, found)

    async def _read(self, name: str, namespace: str) -> ConfigurationRevision | None:
        key = (namespace, name)
        if key not in self._known:
            found = await find(self._cluster, ConfigurationRevision, name, namespace)
            if found is None:
                return None
            self._remember(key, found)
        return self._known[key]

    def _remember(self, key: tuple[str, str], revision: ConfigurationRevision) -> None:
        self._known[key] = revision
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
