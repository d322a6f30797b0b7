"""Has OpenBao sign for the host names of components, and the gateway show it.

A key is made, signed for, written to the plane and forgotten within one call. Two that do so at
once end with one certificate: whoever writes second reads again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from temporalio import activity

from activities.common.clocks import Clock
from activities.common.kinds import GATEWAYS, GRPC_ROUTES, HTTP_ROUTES, SECRETS
from activities.common.reading import listed
from clients import certificates as x509
from clients.kubernetes.cluster import Cluster
from clients.vault.issuers import Issuers
from domain.deliveries.certificates import (
    CertificatePlane,
    CertificatePlanes,
    CertificateTrouble,
    RenewalRequest,
    RenewCertificates,
    RenewedCertificates,
)
from domain.errors import (
    Conflict,
    Denied,
    DependencyUnavailable,
    Errored,
    InvalidRequest,
    NotFound,
)
from domain.gateways import served as names
from domain.gateways.served import Served
from domain.rendering.labels import MANAGED_BY, ORGANIZATION
from domain.resources import DataPlane

_RACES = 10
_REST = 3
"""A certificate is made anew when only one part of so many of its life is left."""


class CertificatePlanActivities:
    """Readings of the control plane; for the task queue ``control``."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def list_certificate_planes(self, request: RenewalRequest) -> CertificatePlanes:
        """Returns the planes whose gateway shows certificates of OpenBao. Idempotent: a reading."""
        found = [
            CertificatePlane(organization=one.namespace, plane=one.name, task_queue=one.task_queue)
            for one in await listed(self._cluster, DataPlane, "")
            if one.spec.gateway.certificate_authority
            and (not request.organizations or one.namespace in request.organizations)
        ]
        return CertificatePlanes(
            items=tuple(sorted(found, key=lambda one: (one.organization, one.plane)))
        )


class GatewayCertificates:
    """Effects on one plane."""

    def __init__(self, cluster: Cluster, issuers: Issuers | None) -> None:
        """None = this plane worker has no role in OpenBao: nothing that needs it comes up."""
        self._cluster = cluster
        self._issuers = issuers

    @activity.defn
    async def renew_certificates(self, request: RenewCertificates) -> RenewedCertificates:
        """Has made anew what soon ends, and puts back listeners that somebody removed.

        Idempotent: what is good for long is left. Cancel: between two certificates. Heartbeat: the
        namespace it is at.
        """
        renewed, refused = [], []
        run = activity.info().workflow_run_id or ""
        for found in await self._places(request.organization):
            activity.heartbeat(found.namespace)
            try:
                await self._let_show(found)
                if await self.ensure(found, run):
                    renewed.append(found.namespace)
            except (Denied, InvalidRequest, Errored) as error:
                if error.retryable:
                    raise
                refused.append(
                    CertificateTrouble(
                        organization=request.organization,
                        namespace=found.namespace,
                        message=error.message,
                    )
                )
        return RenewedCertificates(renewed=tuple(renewed), refused=tuple(refused))

    async def before(self, obj: Mapping[str, Any], organization: str) -> None:
        """Makes what a route needs that is applied next; nothing for all else."""
        found = names.served(obj)
        if found is None:
            return
        if found.organization != organization:
            raise Denied(f"{obj['kind']} {obj['metadata']['name']} is of {found.organization}")
        await self.ensure(found)

    async def ensure(self, found: Served, run: str = "") -> bool:
        """Returns True when there is a new certificate, False when the one before does.

        The listener comes first: where the certificate is found, the listener was made. One that an
        earlier try of the same ``run`` made is new, too.

        Raises:
            Denied: The Secret is somebody else's.
            InvalidRequest: OpenBao does not sign, or the Gateway takes no listener; says why.
        """
        for _ in range(_RACES):
            live = await self._cluster.find(SECRETS, names.SECRET, found.namespace)
            if live is not None and not names.is_ours(live):
                raise Denied(
                    f"Secret {names.SECRET} in {found.namespace} was not made by Pavane: it is "
                    "left alone; remove it, or rename what made it"
                )
            present = _names_of(live)
            if live is not None and _does(live, found, Clock().now()):
                return names.is_of_run(live, run)
            wanted = names.together(found, (one for one in present if _is_of(one, found)))
            await self._let_show(found)
            certificate, key = await asyncio.to_thread(self._signed, wanted)
            if await self._written(names.secret(wanted, certificate, key, run), live):
                return True
        raise DependencyUnavailable(
            f"Secret {names.SECRET} in {found.namespace}: it changes faster than it can be written"
        )

    async def _written(self, secret: dict[str, Any], live: Mapping[str, Any] | None) -> bool:
        try:
            if live is None:
                await self._cluster.create(secret, manager=names.MANAGER)
            else:
                secret["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
                await self._cluster.replace(secret, manager=names.MANAGER)
        except (Conflict, NotFound):
            return False
        return True

    async def _let_show(self, found: Served) -> None:
        """Adds the listener of a place to the Gateway, and lets that read the certificate."""
        gateway = await self._cluster.find(GATEWAYS, found.gateway, found.gateway_namespace)
        if gateway is None:
            raise InvalidRequest(
                f"there is no Gateway {found.gateway} in {found.gateway_namespace}, which "
                f"{found.shown} is for"
            )
        port = names.port_of(gateway, found)
        await self._cluster.apply(names.grant(found), manager=names.MANAGER, force=True)
        manager = names.manager_of(found.namespace)
        await self._cluster.apply(names.listener(found, port), manager=manager, force=True)

    def _signed(self, found: Served) -> tuple[str, str]:
        if self._issuers is None:
            raise Errored(
                f"{found.shown} is signed by OpenBao, and the worker of this plane has no role "
                "there (PAVANE_VAULT__ADDRESS, PAVANE_VAULT__PLANE__SECRET_ID_FILE)"
            )
        key, asked = x509.request("", found.names)
        return self._issuers.sign_for_gateway(found.organization, asked), key

    async def _places(self, organization: str) -> list[Served]:
        """Returns what routes of an organization need, one for each namespace."""
        labels = f"{MANAGED_BY}=pavane,{ORGANIZATION}={organization}"
        found: dict[str, Served] = {}
        for kind in (HTTP_ROUTES, GRPC_ROUTES):
            try:
                routes = (await self._cluster.list(kind, labels=labels)).items
            except NotFound:
                continue  # the plane has no such kind
            for route in routes:
                one = _readable(route, kind.kind)
                if one is None or one.organization != organization:
                    continue
                known = found.get(one.namespace)
                found[one.namespace] = names.together(known, one.names) if known else one
        return [one for _, one in sorted(found.items())]


async def withdraw_listeners(cluster: Cluster, namespaces: Iterable[str]) -> None:
    """Removes the listeners of places that are taken down. Idempotent."""
    try:
        gateways = (await cluster.list(GATEWAYS)).items
    except NotFound:
        return  # the plane has no Gateway API
    for namespace in namespaces:
        for gateway in gateways:
            if names.has_listener(gateway, namespace):
                manager = names.manager_of(namespace)
                await cluster.apply(names.without_listener(gateway), manager=manager, force=True)


def _readable(route: Mapping[str, Any], kind: str) -> Served | None:
    """What a route needs; one that makes no sense was not applied by Pavane, and needs nothing."""
    try:
        return names.served({"kind": kind, **route})
    except (Denied, InvalidRequest):
        return None


def _names_of(secret: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What the certificate in a Secret is good for; nothing when there is none that can be read."""
    if secret is None:
        return ()
    try:
        return x509.names(names.certificate_of(secret), "tls.crt")
    except InvalidRequest:
        return ()


def _is_of(name: str, found: Served) -> bool:
    return name.endswith(found.hostname.removeprefix("*"))


def _does(secret: Mapping[str, Any], found: Served, now: datetime) -> bool:
    """Tells whether a certificate is good for the names, and for long enough."""
    if not set(found.names) <= set(_names_of(secret)):
        return False
    begin, end = x509.life(names.certificate_of(secret), "tls.crt")
    return now < end - (end - begin) / _REST
