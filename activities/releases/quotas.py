"""Refuses what does not fit into the quotas of organization, project and environment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from activities.common.kinds import platform
from clients.kubernetes.shared import SharedWatches
from domain.deliveries import Taken
from domain.errors import Denied, InvalidRequest
from domain.policies.quotas import Usage, excesses, quota_scopes, said
from domain.rendering.facts import ReleaseFacts
from domain.resources import Component, Organization, Project, Resource, parse_as
from domain.resources.families import BINDINGS

R = TypeVar("R", bound=Resource)


class Quotas:
    """Judges by shared watches: a deployment costs no request, and a change counts at once.

    A judgement, not a lock: of two deployments that are prepared in the same moment each may fit
    by itself. What both take up is seen by the next one.
    """

    def __init__(self, watches: SharedWatches) -> None:
        self._watches = watches

    async def check(self, facts: ReleaseFacts, asked: Usage) -> None:
        """Returns when the release fits.

        Raises:
            Denied: It does not; the message has the numbers.
        """
        where = facts.organization
        organization = await self._named(Organization, where, "")
        project = await self._named(Project, facts.project, where)
        owners = [one for one in (organization, project, facts.environment) if one is not None]
        if all(one.spec.quota.is_open for one in owners):
            return
        components = {one.name: one.project async for one in self._all(Component, where)}
        others = [
            one
            for model in BINDINGS
            async for one in self._all(model, where)
            if (one.kind, one.name) != (facts.binding.kind, facts.binding.name)
        ]
        found = excesses(quota_scopes(owners, others, components), asked)
        if found:
            raise Denied(
                f"{facts.component.name} does not fit into {facts.environment.name}: "
                f"{'; '.join(map(str, found))}",
                facts={"reason": "QuotaExceeded"},
            )

    async def _named(self, model: type[R], name: str, namespace: str) -> R | None:
        watch = self._watches.of(platform(model.kind))
        await watch.synced()
        found = watch.store.get((namespace, name))
        return None if found is None else parse_as(model, found)

    async def _all(self, model: type[R], namespace: str) -> AsyncIterator[R]:
        watch = self._watches.of(platform(model.kind))
        await watch.synced()
        for (where, _), found in list(watch.store.items()):
            if where != namespace:
                continue
            try:
                yield parse_as(model, found)
            except InvalidRequest:
                continue


def taken(usage: Usage) -> Taken:
    """Returns what is taken up as it stands in resources."""
    return Taken(
        cpu=said("cpu", usage.cpu), memory=said("memory", usage.memory), objects=usage.objects
    )
