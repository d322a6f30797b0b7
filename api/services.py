"""The outside systems of one API process, each connected when it is first needed.

So the API starts while Temporal or Kubernetes are down, and ``/readyz`` tells which one is.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from platformdirs import user_data_path
from temporalio.client import Client

from api.operations.ended import EndedRuns
from clients.assertions import AssertionSigner
from clients.identity import OidcVerifier, Person
from clients.kubernetes import Cluster, SharedWatches
from clients.objects import ObjectStore
from clients.records import Records, SqlRecords
from clients.vault import AuditLog, SecretStore, VaultSession
from domain.errors import DependencyUnavailable, InvalidRequest
from runtime.client import connect
from runtime.codec import EncryptionCodec, codec_of
from settings import Settings

_LOG = structlog.stdlib.get_logger(__name__)
_CONNECT_SECONDS = 5


class Verifier(Protocol):
    """Proves who a bearer token belongs to."""

    async def verify(self, token: str) -> Person:
        """Returns the person or raises ``Unauthenticated``."""
        ...


@dataclass
class Services:
    """Connections of this process. Made once, closed once; tests pass their own parts in."""

    settings: Settings
    verifier: Verifier | None = None
    client: Client | None = None
    control_plane: Cluster | None = None
    store: ObjectStore | None = None
    database: Records | None = None
    store_of_secrets: SecretStore | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is asked to stop: streams end, clients come back elsewhere."""
    ended: EndedRuns = field(default_factory=EndedRuns)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _watches: SharedWatches | None = None
    _signer: AssertionSigner | None = None
    _codec: EncryptionCodec | None = None

    async def temporal(self) -> Client:
        """Returns the Temporal client.

        Raises:
            DependencyUnavailable: The server does not answer.
        """
        async with self._lock:
            if self.client is None:
                try:
                    async with asyncio.timeout(_CONNECT_SECONDS):
                        self.client = await connect(codec=self.codec())
                except (RuntimeError, TimeoutError) as error:
                    raise DependencyUnavailable(f"Temporal does not answer: {error}") from error
            return self.client

    def codec(self) -> EncryptionCodec | None:
        """Returns what encrypts payloads; None = nothing does.

        Raises:
            DependencyUnavailable: A key is missing.
        """
        if self._codec is None:
            payloads = self.settings.payloads
            try:
                self._codec = codec_of(payloads.keys, payloads.active_key)
            except InvalidRequest as error:
                raise DependencyUnavailable(error.message) from error
        return self._codec

    async def cluster(self) -> Cluster:
        """Returns the control plane's cluster; the local data plane is the same one."""
        async with self._lock:
            if self.control_plane is None:
                kubernetes = self.settings.kubernetes
                self.control_plane = await Cluster.connect(
                    kubernetes.kubeconfig, kubernetes.context, user_agent="pavane-api"
                )
            return self.control_plane

    async def watches(self) -> SharedWatches:
        """Returns the shared watches of the cluster."""
        cluster = await self.cluster()
        if self._watches is None:
            self._watches = SharedWatches(cluster)
        return self._watches

    def objects(self) -> ObjectStore:
        """Returns the object store with build logs."""
        if self.store is None:
            self.store = ObjectStore.open(self.settings.objects.url or _own_folder())
        return self.store

    def records(self) -> Records:
        """Returns the records database. The API reads it; activities write it."""
        if self.database is None:
            self.database = SqlRecords.open(self.settings.records.address)
        return self.database

    def secrets(self) -> SecretStore:
        """Returns the secrets of organizations.

        Raises:
            DependencyUnavailable: The API has no role in OpenBao.
        """
        if self.store_of_secrets is None:
            vault = self.settings.vault
            if not vault.address or vault.api.secret_id_file is None:
                raise DependencyUnavailable(
                    "the API has no role in OpenBao (PAVANE_VAULT__ADDRESS, "
                    "PAVANE_VAULT__API__SECRET_ID_FILE)"
                )
            session = VaultSession(vault.address, vault.api.role_id, vault.api.secret_id_file)
            self.store_of_secrets = SecretStore(session)
        return self.store_of_secrets

    def audit_log(self) -> AuditLog:
        """Returns what tells who read a secret.

        Raises:
            DependencyUnavailable: The API has not been told where it is.
        """
        file = self.settings.vault.audit_log
        if file is None:
            raise DependencyUnavailable(
                "the API does not know the audit log of OpenBao (PAVANE_VAULT__AUDIT_LOG)"
            )
        return AuditLog(file)

    def signer(self) -> AssertionSigner:
        """Returns who signs decisions.

        Raises:
            DependencyUnavailable: There is no key.
        """
        if self._signer is None:
            key = self.settings.approvals.signing_key
            if key is None:
                raise DependencyUnavailable(
                    "the API has no key to sign decisions with (PAVANE_APPROVALS__SIGNING_KEY)"
                )
            self._signer = AssertionSigner(key)
        return self._signer

    def identity(self) -> Verifier:
        """Returns who proves identities.

        Raises:
            DependencyUnavailable: No issuer is configured.
        """
        if self.verifier is None:
            oidc = self.settings.oidc
            if not (oidc.issuer or oidc.discovery_url):
                raise DependencyUnavailable("no OIDC issuer is configured (PAVANE_OIDC__ISSUER)")
            self.verifier = OidcVerifier(discovery_url(self.settings), oidc.issuer, oidc.audience)
        return self.verifier

    async def close(self) -> None:
        """Ends watches and connections."""
        self.stopping.set()
        if self._watches is not None:
            await self._watches.close()
        if self.control_plane is not None:
            await self.control_plane.close()
        if self.database is not None:
            await self.database.close()
        if isinstance(self.verifier, OidcVerifier):
            await self.verifier.close()
        _LOG.info("connections closed")


def _own_folder() -> str:
    return (user_data_path("pavane") / "objects").as_uri()


def discovery_url(settings: Settings) -> str:
    """Returns where the discovery document of the issuer is."""
    given = settings.oidc.discovery_url
    return given or f"{settings.oidc.issuer.rstrip('/')}/.well-known/openid-configuration"
