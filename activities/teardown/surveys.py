"""Reads where a teardown stands, asks for the deletion of parts, lets the resource go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from temporalio import activity

from activities.common.kinds import NAMESPACES, platform
from activities.common.reading import find, listed
from activities.common.statuses import now
from activities.common.together import together
from activities.promotions.enforcement import Standings
from clients.kubernetes.cluster import Cluster
from domain.deliveries.standings import StandingChange
from domain.deliveries.teardown import (
    DeleteParts,
    PartRef,
    TeardownNote,
    TeardownRequest,
    TeardownSurvey,
)
from domain.errors import NotFound
from domain.policies.teardown.holds import TEARDOWN
from domain.policies.teardown.parts import kinds_needed, parts_of, users_of
from domain.policies.teardown.sweeps import sweeps_of
from domain.rendering import labels as names
from domain.resources import (
    KINDS,
    Component,
    Environment,
    Organization,
    Resource,
    Status,
    set_condition,
)
from domain.resources.conditions import ConditionType

MANAGER = "pavane-teardown"
"""Apart from the managers of procedures and observations, so that neither removes what it wrote."""
_AT_ONCE = 16
_MOST = 500
"""Parts of one survey; the others follow when these are gone."""
_SHOWN = 20


class TeardownActivities:
    """Readings and effects of a teardown on the control plane."""

    def __init__(self, cluster: Cluster, standings: Standings) -> None:
        self._cluster = cluster
        self._standings = standings

    @activity.defn
    async def survey_teardown(self, request: TeardownRequest) -> TeardownSurvey:
        """Returns what keeps a resource, which parts come next, what is to be swept.

        Idempotent: a reading.
        """
        target = await self._target(request)
        if target is None or not target.is_deleted:
            return TeardownSurvey(gone=True)
        resources = await self._resources(request)
        users = users_of(target, resources)
        if users:
            return TeardownSurvey(users=users[:_SHOWN])
        wave: tuple[Resource, ...] = next(filter(None, parts_of(target, resources)), ())
        remove = [one for one in wave if not one.is_deleted]
        pending = [one for one in wave if one.is_deleted]
        return TeardownSurvey(
            remove=tuple(_ref(one) for one in remove[:_MOST]),
            pending=tuple(_waiting(one) for one in pending[:_SHOWN]),
            planes=() if wave else sweeps_of(target, resources),
        )

    @activity.defn
    async def delete_parts(self, request: DeleteParts) -> None:
        """Asks for the deletion of resources; those that are held take their own time.

        Idempotent: exactly these are deleted, not later ones of their names. Cancel: between two.
        """
        for start in range(0, len(request.parts), _AT_ONCE):
            activity.heartbeat(start)
            await together(
                *(
                    self._delete(one, request.organization)
                    for one in request.parts[start : start + _AT_ONCE]
                )
            )

    async def _delete(self, part: PartRef, organization: str) -> None:
        await self._cluster.delete(platform(part.kind), part.name, organization, uid=part.uid)

    @activity.defn
    async def note_teardown(self, note: TeardownNote) -> None:
        """Tells on the resource what its deletion waits for. Idempotent: equal content."""
        target = await self._target(note.request)
        if target is None or not target.is_deleted:
            return
        status: Status = getattr(target, "status")  # noqa: B009 - each kind declares its own
        conditions = set_condition(
            status.conditions,
            ConditionType.READY,
            "False",
            note.reason,
            note.message,
            observed_generation=target.metadata.generation,
            now=now(),
        )
        ready = next(one for one in conditions if one.type == ConditionType.READY)
        if ready in status.conditions:
            return
        told = {"conditions": [ready.model_dump(mode="json", by_alias=True)]}
        try:
            await self._cluster.apply_status(
                target.status_manifest() | {"status": told}, manager=MANAGER
            )
        except NotFound:
            activity.logger.debug("%s %s is gone", target.kind, target.name)

    @activity.defn
    async def let_go(self, request: TeardownRequest) -> None:
        """Lets Kubernetes delete the resource; of an organization the namespace goes as well.

        What is remembered of the places of a component or an environment is forgotten before: a
        later one of its name is another one, with no hold, no veto and no pass.

        Idempotent: what is gone stays gone.

        Raises:
            Conflict: Somebody else changed its finalizers in this moment; it is tried again.
        """
        target = await self._target(request)
        if target is None:
            return
        if isinstance(target, Organization):
            await self._delete_namespace(target.name)
        await self._forget(target)
        kept = [one for one in target.metadata.finalizers if one != TEARDOWN]
        metadata = {"finalizers": kept, "resourceVersion": target.metadata.resource_version}
        kind = platform(target.kind)
        try:
            await self._cluster.patch(kind, target.name, target.namespace, {"metadata": metadata})
        except NotFound:
            activity.logger.debug("%s %s is gone", target.kind, target.name)

    async def _forget(self, target: Resource) -> None:
        where, places = target.organization, list[tuple[str, str]]()
        if isinstance(target, Component):
            others = await listed(self._cluster, Environment, where)
            places = [(target.name, one.name) for one in others]
        elif isinstance(target, Environment):
            components = await listed(self._cluster, Component, where)
            places = [(one.name, target.name) for one in components]
        for start in range(0, len(places), _AT_ONCE):
            activity.heartbeat(start)
            await together(
                *(self._forget_place(where, *one) for one in places[start : start + _AT_ONCE])
            )

    async def _forget_place(self, organization: str, component: str, environment: str) -> None:
        standing = await self._standings.read(organization, component, environment)
        if standing.is_empty:
            return
        change = StandingChange(
            organization=organization,
            component=component,
            environment=environment,
            key=f"forget/{activity.info().workflow_run_id}",
            forget=True,
            at=now(),
        )
        await self._standings.change(change)

    async def _delete_namespace(self, organization: str) -> None:
        """Deletes it only if the set-up made it the organization's own."""
        found = await self._cluster.find(NAMESPACES, organization)
        labels = (found or {}).get("metadata", {}).get("labels", {})
        if found is not None and labels.get(names.ORGANIZATION) == organization:
            await self._cluster.delete(NAMESPACES, organization, uid=found["metadata"]["uid"])

    async def _target(self, request: TeardownRequest) -> Resource | None:
        model = KINDS[request.kind]
        where = "" if model is Organization else request.organization
        found = await find(self._cluster, model, request.name, where)
        if found is None or request.uid not in {"", found.metadata.uid}:
            return None
        return found

    async def _resources(self, request: TeardownRequest) -> list[Resource]:
        kinds = kinds_needed(request.kind)
        organization, *lists = await asyncio.gather(
            find(self._cluster, Organization, request.organization),
            *(self._listed(kind, request) for kind in kinds),
        )
        found = [one for each in lists for one in _resources(each)]
        return [*found, organization] if isinstance(organization, Organization) else found

    async def _listed(self, kind: str, request: TeardownRequest) -> list[Resource]:
        return await listed(self._cluster, KINDS[kind], request.organization)


def _resources(found: object) -> Iterable[Resource]:
    return found if isinstance(found, list) else ()


def _ref(one: Resource) -> PartRef:
    return PartRef(kind=one.kind, name=one.name, uid=one.metadata.uid)


def _waiting(one: Resource) -> str:
    status: Status = getattr(one, "status")  # noqa: B009 - each kind declares its own
    ready = status.condition(ConditionType.READY)
    why = f": {ready.message}" if ready is not None and not ready.is_true and ready.message else ""
    return f"{one.kind} {one.name}{why}"
