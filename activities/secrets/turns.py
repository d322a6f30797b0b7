"""What all steps of turning a secret over have in common: the secret, as the turn has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

from activities.secrets.engines.certificates import CertificateEngine
from activities.secrets.engines.choosing import engine_of
from activities.secrets.engines.contract import Engine
from clients.databases import DatabaseRoles
from clients.vault import SecretEntry, SecretStore, SecretValues
from clients.vault.approles import AppRoles
from clients.vault.issuers import Issuers
from clients.vault.kv import ACTIVE, ROTATION
from clients.vault.uses import SecretUses
from domain import ids
from domain.deliveries.rotations import SecretTurn
from domain.errors import InvalidRequest, NotFound, StaleRevision

Answer = TypeVar("Answer")
_LENGTH = 12


class Turns:
    """Reads and writes the secret of a turn, and knows its target."""

    def __init__(
        self,
        store: SecretStore,
        app_roles: AppRoles,
        roles: DatabaseRoles | None = None,
        issuers: Issuers | None = None,
        uses: SecretUses | None = None,
    ) -> None:
        """``uses`` None = this worker has no audit log of OpenBao."""
        self._store = store
        self._app_roles = app_roles
        self._roles = roles or DatabaseRoles()
        self._issuers = issuers
        self._uses = uses

    async def _written(self, turn: SecretTurn, values: Mapping[str, str], mark: str) -> int:
        """Writes the next version over the newest one that the turn knows; returns its number.

        Idempotent: one that has the mark is adopted.

        Raises:
            StaleRevision: Somebody else wrote the secret meanwhile.
        """
        organization, path = turn.plan.organization, turn.plan.path
        try:
            return await self._kept(
                lambda: self._store.write(
                    organization, path, values, expected=turn.newest, rotation=mark
                )
            )
        except StaleRevision:
            return await self._adopted(turn, (await self._entry(turn)).newest, mark)

    async def _adopted(self, turn: SecretTurn, version: int, mark: str) -> int:
        if await self._mark(turn, version) != mark:
            raise StaleRevision(
                f"secret {turn.plan.path} of {turn.plan.organization}: somebody else wrote "
                f"version {version} while it was turned over"
            )
        return version

    def _issuer(self, turn_id: str) -> str:
        """The name of the issuer that a turn makes."""
        return f"pavane-{ids.content_hash(turn_id)[:_LENGTH]}"

    async def _mark(self, turn: SecretTurn, version: int) -> str:
        plan = turn.plan
        return await self._kept(
            lambda: self._store.written_by(plan.organization, plan.path, version)
        )

    async def _coming(self, turn: SecretTurn, in_use: int) -> None:
        """Notes that the secret is being turned over, and which version is in use meanwhile."""
        plan, notes = turn.plan, {ROTATION: turn.id, ACTIVE: str(in_use)}
        await self._kept(lambda: self._store.note(plan.organization, plan.path, notes))

    async def _destroy(self, turn: SecretTurn, version: int) -> None:
        try:
            values = await self._values(turn, version)
        except NotFound:
            return  # destroyed by an earlier try, which told the target before
        await self._engine(turn).destroy(values)
        await self._erase(turn, version)

    async def _erase(self, turn: SecretTurn, version: int) -> None:
        plan = turn.plan
        await self._kept(lambda: self._store.destroy(plan.organization, plan.path, version))

    async def _use(self, turn: SecretTurn, version: int) -> None:
        plan = turn.plan
        await self._kept(lambda: self._store.use(plan.organization, plan.path, version))

    async def _released(self, turn: SecretTurn, more: Mapping[str, str | None]) -> None:
        plan, notes = turn.plan, {ROTATION: None, **more}
        await self._kept(lambda: self._store.note(plan.organization, plan.path, notes))

    async def _entry(self, turn: SecretTurn) -> SecretEntry:
        plan = turn.plan
        entry = await self._kept(lambda: self._store.describe(plan.organization, plan.path))
        if not entry.newest:
            raise InvalidRequest(f"secret {plan.path} of {plan.organization} has no value yet")
        return entry

    async def _values(self, turn: SecretTurn, version: int) -> SecretValues:
        plan = turn.plan
        return await self._kept(lambda: self._store.read(plan.organization, plan.path, version))

    def _engine(self, turn: SecretTurn) -> Engine:
        if turn.plan.certificates is not None:
            return self._certificates(turn)
        return engine_of(turn.plan, self._store, self._roles, self._app_roles)

    def _certificates(self, turn: SecretTurn) -> CertificateEngine:
        if turn.plan.certificates is None or self._issuers is None:
            raise InvalidRequest(f"SecretRotation {turn.plan.rotation}: PKI needs spec.pki")
        return CertificateEngine(turn.plan.organization, turn.plan.certificates, self._issuers)

    async def _kept(self, ask: Callable[[], Answer]) -> Answer:
        return await asyncio.to_thread(ask)
