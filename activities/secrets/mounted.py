"""Tells the Secrets Store CSI driver of one plane what to mount; values never pass this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from activities.secrets.versions import check_fields, missing, versions_in_use
from activities.secrets.writing import write_over
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from clients.vault import SecretStore
from domain.deliveries.secrets import SecretConsumer, SecretDelivered, SecretVolume
from domain.errors import Conflict, Denied, DependencyUnavailable, NotFound
from domain.secrets import delivery, mounted
from domain.secrets.places import key_of

PROVIDER_CLASSES = Kind(mounted.API_VERSION, mounted.KIND, "secretproviderclasses", namespaced=True)
_RACES = 10


class MountedDelivery:
    """Keeps the SecretProviderClasses of one plane at the versions in use."""

    def __init__(self, cluster: Cluster, store: SecretStore) -> None:
        self._cluster = cluster
        self._store = store

    async def deliver(self, found: SecretConsumer, volume: SecretVolume) -> SecretDelivered:
        """Returns when whoever begins from now on finds what is in use.

        Idempotent. Two that deliver at once end with what is in use: each reads the versions after
        it has read the SecretProviderClass, and writes only if that is still what it read.

        Raises:
            InvalidRequest: A secret or a field is not there.
            Denied: The SecretProviderClass is somebody else's.
        """
        where = f"SecretProviderClass {found.secret} in {found.namespace}"
        for _ in range(_RACES):
            live = await self._cluster.find(PROVIDER_CLASSES, found.secret, found.namespace)
            if live is not None and not delivery.is_ours(live):
                raise Denied(
                    f"{where} was not made by Pavane: it is left alone; remove it, or rename what "
                    "made it"
                )
            versions = await asyncio.to_thread(self._versions, found, volume)
            wanted = mounted.provider_class(found, volume, versions)
            if live is not None and mounted.is_so(live, wanted):
                return SecretDelivered(versions=versions)
            try:
                await write_over(self._cluster, wanted, live)
            except (Conflict, NotFound):
                continue
            return SecretDelivered(changed=True, versions=versions)
        raise DependencyUnavailable(f"{where}: it changes faster than it can be written")

    def _versions(self, found: SecretConsumer, volume: SecretVolume) -> Mapping[str, int]:
        """A pod whose volume names a field that is not there would never begin: looked at here."""
        versions = versions_in_use(self._store, found, mounted.paths(found, volume))
        wanted = [key_of(found.keys[key]) for key in volume.files]
        for path, version in versions.items():
            try:
                there = self._store.fields(found.organization, path, version)
            except NotFound:
                raise missing(found, path) from None
            check_fields(found, path, {one.field for one in wanted if one.path == path}, there)
        return versions
