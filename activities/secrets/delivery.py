"""Fills the Kubernetes Secrets of a plane from Vault or OpenBao, and has pods begin anew with them.

A value is read, written to the plane, and forgotten within one call. Two that deliver at once end
with what is in use: each reads the secret store after it has read the Kubernetes Secret, and writes
only if that is still what it read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from temporalio import activity

from activities.common.kinds import CRON_JOBS, DEPLOYMENTS, SECRETS
from activities.common.namespaces import check_owner
from activities.secrets.external import EXTERNAL_SECRETS, ExternalDelivery
from activities.secrets.mounted import PROVIDER_CLASSES, MountedDelivery
from activities.secrets.versions import check_fields, missing
from activities.secrets.writing import write_over
from clients.kubernetes.cluster import Cluster
from clients.vault import SecretStore
from domain.deliveries.secrets import (
    ConsumerRestarted,
    DeliverSecret,
    FindConsumers,
    RestartConsumer,
    SecretConsumer,
    SecretConsumers,
    SecretDelivered,
    SecretVolume,
)
from domain.errors import (
    Conflict,
    Denied,
    DependencyUnavailable,
    Errored,
    NotFound,
    PlatformError,
)
from domain.rendering import labels as names
from domain.secrets import delivery
from domain.secrets.places import key_of, scope_of

_RACES = 10


class SecretDelivery:
    """Effects on the Secrets of one plane."""

    def __init__(self, cluster: Cluster, store: SecretStore | None) -> None:
        """None = this plane worker has no role in OpenBao: nothing that needs secrets comes up."""
        self._cluster = cluster
        self._store = store

    @activity.defn
    async def find_consumers(self, request: FindConsumers) -> SecretConsumers:
        """Returns the workloads of this plane that name a secret, or one of a project.

        Idempotent: a reading.
        """
        labels = f"{names.MANAGED_BY}=pavane,{names.ORGANIZATION}={request.organization}"
        found = []
        for kind in (DEPLOYMENTS, CRON_JOBS):
            listing = await self._cluster.list(kind, labels=labels)
            for item in listing.items:
                named = _consumers(item, request)
                found += named or delivery.reading(item, request.readers)
        return SecretConsumers(items=tuple(found))

    @activity.defn
    async def deliver_secret(self, request: DeliverSecret) -> SecretDelivered:
        """Fills the Secret of a consumer with what is in use now.

        Idempotent: equal content changes nothing. Cancel: before or after, never half.

        Raises:
            InvalidRequest: A secret or a field is not there; says which and how to set it.
            Denied: The place may not use it, or the Secret is somebody else's.
        """
        await check_owner(self._cluster, request.consumer.namespace, request.consumer.organization)
        return await self.deliver(request.consumer)

    @activity.defn
    async def restart_consumer(self, request: RestartConsumer) -> ConsumerRestarted:
        """Has the pods of a consumer replaced, one after the other as its Deployment says.

        Idempotent: pods that began with these versions are left alone. Follow the Deployment
        afterwards.
        """
        found = request.consumer
        live = await self._cluster.find(DEPLOYMENTS, found.name, found.namespace)
        if live is None or not live["spec"].get("replicas", 1):
            return ConsumerRestarted()
        mark = delivery.said(request.versions)
        template = live["spec"]["template"]["metadata"].get("annotations") or {}
        if template.get(delivery.VERSIONS) == mark:
            return ConsumerRestarted(restarted=True)
        await self._cluster.apply(
            delivery.restart(found, mark), manager=delivery.MANAGER, force=True
        )
        return ConsumerRestarted(restarted=True)

    async def before(self, workload: Mapping[str, Any], organization: str) -> None:
        """Delivers what a workload needs that is applied next; nothing for most of them."""
        for found in delivery.consumers(workload):
            if found.organization != organization:
                raise Denied(
                    f"{found.kind} {found.name} is of {found.organization}: not its release"
                )
            await self.deliver(found)

    async def deliver(self, found: SecretConsumer) -> SecretDelivered:
        """See ``deliver_secret``."""
        if found.store and self._store is not None:
            return await ExternalDelivery(self._cluster, self._store).deliver(found)
        if found.volume is not None and self._store is not None:
            return await self._mounted(found, found.volume, self._store)
        return await self._filled(found)

    async def _mounted(
        self, found: SecretConsumer, volume: SecretVolume, store: SecretStore
    ) -> SecretDelivered:
        """Files by the driver, and variables by a Kubernetes Secret where the plane wants that."""
        done = await MountedDelivery(self._cluster, store).deliver(found, volume)
        if not volume.variables:
            return done
        keys = {key: found.keys[key] for key in volume.variables}
        more = await self._filled(found.model_copy(update={"keys": keys, "volume": None}))
        return SecretDelivered(
            changed=done.changed or more.changed, versions={**done.versions, **more.versions}
        )

    async def forget(self, workload: Mapping[str, Any], kept: Collection[str] = ()) -> None:
        """Removes what was delivered to a workload that is gone, but for Secrets that are kept.

        Idempotent.
        """
        try:
            consumers = delivery.consumers(workload)
        except PlatformError:
            return  # nothing was ever delivered by it
        for found in (one for one in consumers if one.secret not in kept):
            made = [SECRETS]
            if found.store:
                made.insert(0, EXTERNAL_SECRETS)
            if found.volume is not None:
                made.insert(0, PROVIDER_CLASSES)
            for kind in made:
                live = await self._cluster.find(kind, found.secret, found.namespace)
                if live is not None and delivery.is_ours(live):
                    uid = str(live["metadata"]["uid"])
                    await self._cluster.delete(kind, found.secret, found.namespace, uid=uid)

    async def _filled(self, found: SecretConsumer) -> SecretDelivered:
        for _ in range(_RACES):
            live = await self._cluster.find(SECRETS, found.secret, found.namespace)
            if live is not None and not delivery.is_ours(live):
                raise Denied(
                    f"Secret {found.secret} in {found.namespace} was not made by Pavane: it is "
                    "left alone; remove it, or rename what made it"
                )
            values, versions = await asyncio.to_thread(self._read, found)
            wanted = delivery.secret_object(found, values, versions)
            if live is not None and delivery.is_so(live, wanted):
                return SecretDelivered(versions=versions)
            try:
                await write_over(self._cluster, wanted, live)
            except (Conflict, NotFound):
                continue
            return SecretDelivered(changed=True, versions=versions)
        raise DependencyUnavailable(
            f"Secret {found.secret} in {found.namespace}: it changes faster than it can be written"
        )

    def _read(self, found: SecretConsumer) -> tuple[dict[str, str], dict[str, int]]:
        """Reads each secret once, so that fields that belong together come from one version."""
        if self._store is None:
            raise Errored(
                f"{found.shown} needs secrets, and the worker of this plane has no role in OpenBao "
                "(PAVANE_VAULT__ADDRESS, PAVANE_VAULT__PLANE__SECRET_ID_FILE)"
            )
        keys = {key: key_of(vault_key) for key, vault_key in found.keys.items()}
        values: dict[str, str] = {}
        versions: dict[str, int] = {}
        for path in sorted({one.path for one in keys.values()}):
            try:
                version = self._store.describe(found.organization, path).active
                content = self._store.read(found.organization, path, version)
            except NotFound:
                raise missing(found, path) from None
            wanted = {key: one.field for key, one in keys.items() if one.path == path}
            check_fields(found, path, wanted.values(), content)
            values |= {key: content[field] for key, field in wanted.items()}
            versions[path] = version
        return values, versions


def _consumers(workload: Mapping[str, Any], request: FindConsumers) -> list[SecretConsumer]:
    """What of a workload names the secret; one that makes no sense is no consumer of anything."""
    try:
        found = delivery.consumers(workload)
    except PlatformError:
        return []
    return [one for one in found if one.organization == request.organization and _is(one, request)]


def _is(found: SecretConsumer, request: FindConsumers) -> bool:
    paths = {key_of(vault_key).path for vault_key in found.keys.values()}
    if request.project:
        return request.project in {scope_of(path).project for path in paths}
    return request.path in paths
