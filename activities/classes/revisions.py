"""Gives a component the revision of its class that it is rendered with, and keeps revisions."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TypeVar

from temporalio import activity

from activities.common.reading import find
from clients.kubernetes.cluster import Cluster
from domain.errors import Conflict, InvalidRequest
from domain.resources import ClassRevision, ComponentClass
from domain.resources.binding import Binding
from domain.resources.revisions import as_in, revision_of

C = TypeVar("C", bound=ComponentClass)
_REMEMBERED = 1000
_TRUSTED_SECONDS = 60.0
"""How long a revision that was there is taken to be there: old ones are forgotten."""


class ClassRevisions:
    """Revisions never change, so each is read once by a process, and written now and then."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: OrderedDict[tuple[str, str], ClassRevision] = OrderedDict()
        self._kept: dict[tuple[str, str], float] = {}
        """When it was last sure that a revision is written down."""

    async def given(self, present: C, binding: Binding, asked: str = "") -> C:
        """Returns the class as the binding is to be rendered with, and keeps that revision.

        The revision a binding is held at counts first, then the one asked for, then the one it was
        given; a binding that has none of its present class gets the present content.

        Raises:
            InvalidRequest: A revision that is named does not exist or is of another class.
        """
        held = binding.spec.class_revision_ref
        named = held or asked
        wanted = named or binding.status.class_revision_ref
        if not wanted or wanted == present.revision:
            await self._keep(present)
            return present
        revision = await self._read(wanted, binding.namespace)
        if revision is None or not _is_of(revision, present):
            if not named:
                # It was given by a class that it does not name any more.
                await self._keep(present)
                return present
            raise InvalidRequest(
                f"{binding.kind} {binding.name} is to be rendered with ClassRevision {wanted}, "
                f"which is none of {present.kind} {present.name}: name another one",
                facts={"reason": "ReferenceMissing"},
            )
        return as_in(present, revision)

    async def _read(self, name: str, namespace: str) -> ClassRevision | None:
        key = (namespace, name)
        if key not in self._known:
            found = await find(self._cluster, ClassRevision, name, namespace)
            if found is None:
                return None
            self._remember(key, found)
        return self._known[key]

    async def _keep(self, present: ComponentClass) -> None:
        """Writes the present content down. Idempotent: it is named by its content."""
        key = (present.namespace, present.revision)
        if time.monotonic() - self._kept.get(key, -_TRUSTED_SECONDS) < _TRUSTED_SECONDS:
            return
        revision = revision_of(present)
        try:
            await self._cluster.create(revision.manifest())
        except Conflict:
            activity.logger.debug("ClassRevision %s is kept already", revision.name)
        self._kept[key] = time.monotonic()
        self._remember(key, revision)

    def _remember(self, key: tuple[str, str], revision: ClassRevision) -> None:
        self._known[key] = revision
        if len(self._known) > _REMEMBERED:
            self._kept.pop(self._known.popitem(last=False)[0], None)


def _is_of(revision: ClassRevision, present: ComponentClass) -> bool:
    return (revision.spec.class_kind, revision.spec.class_name) == (present.kind, present.name)
