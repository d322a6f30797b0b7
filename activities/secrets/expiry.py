"""Looks which secrets expire. Names and moments only, never a value."""

from __future__ import annotations

import asyncio

from temporalio import activity

from activities.common.heartbeats import heartbeating
from activities.common.reading import listed
from clients.kubernetes.cluster import Cluster
from clients.vault import SecretStore
from domain.deliveries.expiry import (
    ExpiringSecret,
    ExpiringSecrets,
    ExpiryRequest,
    FindExpiring,
    OrganizationNames,
)
from domain.resources import Organization


class ExpiryPlanActivities:
    """Readings of the control plane; for the task queue ``control``."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def list_organizations(self, request: ExpiryRequest) -> OrganizationNames:
        """Returns which organizations there are, of those asked for. Idempotent: a reading."""
        found = await listed(self._cluster, Organization, "")
        names = sorted(one.metadata.name for one in found)
        wanted = request.organizations or names
        return OrganizationNames(names=tuple(name for name in names if name in wanted))


class ExpiryActivities:
    """Readings of the secret store; for the task queue ``secrets``."""

    def __init__(self, store: SecretStore) -> None:
        self._store = store

    @activity.defn
    async def find_expiring(self, request: FindExpiring) -> ExpiringSecrets:
        """Returns the secrets of some organizations that expire before a moment.

        Idempotent: a reading. Heartbeat: the organization it is at. Cancel: after the present one.
        """
        at = [""]
        found: list[ExpiringSecret] = []
        async with heartbeating(lambda: list(at)):
            for organization in request.organizations:
                at[0] = organization
                entries = await asyncio.to_thread(
                    self._store.expiring, organization, request.before
                )
                found += [
                    ExpiringSecret(
                        organization=organization,
                        path=entry.path,
                        expires=entry.expires,
                        owner=entry.owner,
                    )
                    for entry in entries
                    if entry.expires is not None
                ]
        return ExpiringSecrets(items=tuple(found))
