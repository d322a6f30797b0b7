"""Has External Secrets fill the Secrets of consumers; values never pass this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from activities.common.clocks import Clock
from activities.common.heartbeats import heartbeating
from activities.common.kinds import SECRETS
from activities.secrets.versions import versions_in_use
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from clients.kubernetes.watch import Object
from clients.vault import SecretStore
from domain.deliveries.secrets import SecretConsumer, SecretDelivered
from domain.errors import Conflict, Denied, DependencyUnavailable, NotFound
from domain.secrets import delivery, external
from domain.secrets.places import key_of

EXTERNAL_SECRETS = Kind(external.API_VERSION, external.KIND, "externalsecrets", namespaced=True)
_RACES = 10
_PATIENCE = timedelta(seconds=60)
_LOOK = timedelta(seconds=0.5)


class ExternalDelivery:
    """Tells External Secrets of one plane which versions are in use."""

    def __init__(self, cluster: Cluster, store: SecretStore) -> None:
        self._cluster = cluster
        self._store = store

    async def deliver(self, found: SecretConsumer) -> SecretDelivered:
        """Returns when the Secret holds what is in use now.

        Idempotent. Two that deliver at once end with what is in use: each reads the versions after
        it has read the ExternalSecret, and writes only if that is still what it read.

        Raises:
            InvalidRequest: A secret is not there.
            Denied: The ExternalSecret is somebody else's.
            DependencyUnavailable: External Secrets has not done it in time; says what it told.
        """
        for _ in range(_RACES):
            live = await self._cluster.find(EXTERNAL_SECRETS, found.secret, found.namespace)
            if live is not None and not delivery.is_ours(live):
                raise Denied(
                    f"ExternalSecret {found.secret} in {found.namespace} was not made by Pavane"
                )
            versions = await asyncio.to_thread(
                versions_in_use,
                self._store,
                found,
                [key_of(vault_key).path for vault_key in found.keys.values()],
            )
            wanted = external.external_secret(found, versions)
            changed = live is None or not external.is_so(live, wanted)
            try:
                if changed:
                    await self._write(wanted, live)
            except (Conflict, NotFound):
                continue
            await self._filled(found, versions)
            return SecretDelivered(changed=changed, versions=versions)
        raise DependencyUnavailable(
            f"ExternalSecret {found.secret} in {found.namespace}: it changes faster than it can be "
            "written"
        )

    async def _write(self, wanted: Object, live: Object | None) -> None:
        if live is None:
            await self._cluster.create(wanted, manager=delivery.MANAGER)
            return
        wanted["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
        await self._cluster.replace(wanted, manager=delivery.MANAGER)

    async def _filled(self, found: SecretConsumer, versions: Mapping[str, int]) -> None:
        clock, name, namespace = Clock(), found.secret, found.namespace
        begun = clock.now()
        async with heartbeating(lambda: f"External Secrets to fill {name}"):
            while True:
                live = await self._cluster.find(SECRETS, name, namespace)
                if external.is_filled(live, versions):
                    return
                if clock.now() - begun > _PATIENCE:
                    break
                await asyncio.sleep(_LOOK.total_seconds())
        asked = await self._cluster.find(EXTERNAL_SECRETS, name, namespace)
        told = external.problem(asked) or "it says nothing; does it run?"
        raise DependencyUnavailable(
            f"External Secrets has not filled Secret {name} in {namespace}: {told}"
        )
