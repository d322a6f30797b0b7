"""Gives one person a role for a while, and takes it back."""

from __future__ import annotations

from typing import Any

from temporalio import activity

from activities.common.reading import find, required
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries.break_glass import BreakGlassPlan, BreakGlassRequest, GrantOrder
from domain.policies.break_glass import rule_for
from domain.resources import Environment, Organization, Project
from domain.resources.rights.grants import AccessGrant


class GrantActivities:
    """Effects on the status of Organizations, where no person has a right to write."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def plan_break_glass(self, request: BreakGlassRequest) -> BreakGlassPlan:
        """Returns who must agree, by the Organization as it is now. Idempotent: a reading.

        Raises:
            Denied: That cannot be asked for.
            InvalidRequest: The organization, environment or project does not exist.
        """
        where, asked = request.organization, f"the right of {request.person}"
        organization = await required(self._cluster, Organization, where, "", asked)
        await required(self._cluster, Environment, request.environment, where, asked)
        if request.project:
            await required(self._cluster, Project, request.project, where, asked)
        return BreakGlassPlan(rule=rule_for(organization, request))

    @activity.defn
    async def place_grant(self, order: GrantOrder) -> None:
        """Gives the right. Idempotent: by the name of the grant; it ends by itself all the same.

        Raises:
            InvalidRequest: The organization does not exist.
        """
        request = order.request
        asked = f"the right of {request.person}"
        organization = await required(self._cluster, Organization, request.organization, "", asked)
        grant = AccessGrant.model_validate(
            {
                "id": order.id,
                "user": request.person,
                "role": request.role,
                "project": request.project,
                "environment": request.environment,
                "reason": request.reason,
                "approved_by": order.approved_by,
                "until": order.until,
            }
        )
        told = {"grants": [grant.model_dump(mode="json", by_alias=True)]}
        await self._write(organization, order, told)

    @activity.defn
    async def lift_grant(self, order: GrantOrder) -> None:
        """Takes the right back. Idempotent: one that is not there stays so."""
        organization = await find(self._cluster, Organization, order.request.organization)
        if organization is not None:
            # An empty list, not nothing: without any field the status would be null, and invalid.
            await self._write(organization, order, {"grants": []})

    async def _write(
        self, organization: Organization, order: GrantOrder, status: dict[str, Any]
    ) -> None:
        """Each grant has a manager of its own, so nobody writes what another one reads."""
        await self._cluster.apply_status(
            organization.status_manifest() | {"status": status},
            manager=f"{ids.GRANT_MANAGER}-{order.id}",
        )
