"""Reads which secrets there are; for the task queue `secrets`. Names only, never a value."""

from __future__ import annotations

import asyncio

from temporalio import activity

from clients.vault import SecretStore
from domain.deliveries.leaks import ListSecrets, SecretPaths


class SecretPathActivities:
    """Readings of the secret store."""

    def __init__(self, store: SecretStore) -> None:
        self._store = store

    @activity.defn
    async def list_secrets(self, request: ListSecrets) -> SecretPaths:
        """Returns the paths of the secrets of a project. Idempotent: a reading."""
        paths = await asyncio.to_thread(self._store.names, request.organization, request.project)
        return SecretPaths(paths=tuple(paths))
