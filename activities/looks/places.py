"""Finds what is deployed in a place, and the plane on which it can be looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temporalio import activity

from activities.common.reading import find
from activities.releases.bindings import find_binding
from activities.releases.bundles import bundle_of
from activities.releases.facts import plane_of
from clients.kubernetes.cluster import Cluster
from domain.deliveries import HealthCheck
from domain.deliveries.trees import PreparedLook, TreeRequest
from domain.resources import ClassRevision, Release
from domain.resources.class_parts import HealthRule


class LookPlanActivities:
    """What is known of a place on the control plane."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def prepare_look(self, request: TreeRequest) -> PreparedLook:
        """Returns the release of a place with its plane; without a queue when nothing runs there.

        Idempotent: a reading. Cancel: not heeded, it is short.

        Raises:
            Denied: The release names objects of something else.
            InvalidRequest: The environment or its plane does not exist.
        """
        where = request.organization
        binding = await find_binding(self._cluster, where, request.component, request.environment)
        name = binding.status.release_ref if binding else ""
        release = await find(self._cluster, Release, name, where)
        if binding is None or release is None:
            return PreparedLook(request=request)
        plane = await plane_of(self._cluster, binding)
        revision = await find(self._cluster, ClassRevision, release.spec.class_revision_ref, where)
        return PreparedLook(
            request=request,
            plane=plane.name,
            task_queue=plane.task_queue,
            state=binding.wanted_state.value,
            bundle=bundle_of(release),
            checks=_checks(revision.spec.content.get("health") or () if revision else ()),
        )


def _checks(rules: Iterable[Any]) -> tuple[HealthCheck, ...]:
    """Returns the rules of a class revision as they travel."""
    return tuple(
        HealthCheck.model_validate(HealthRule.model_validate(rule).model_dump()) for rule in rules
    )
