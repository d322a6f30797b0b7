"""How a new credential comes about, by engine: one slot is in use, the other one is made anew.

Values live in arguments and local names here and nowhere else. Every effect may be repeated.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Protocol

from clients.databases import Database, DatabaseRoles
from clients.vault import SecretStore, SecretValues
from clients.vault.approles import AppRoles
from domain.deliveries.rotations import DatabaseTarget, RotationPlan
from domain.errors import Conflict, Denied, InvalidRequest
from domain.resources.rotation import RotationEngine

_BYTES = 32
USERNAME, PASSWORD = "username", "password"
SECRET_ID = "secret_id"  # noqa: S105 - the name of a field


class Engine(Protocol):
    """What a target must be able to do so that a credential of it can be turned over."""

    async def check(self, old: SecretValues) -> None:
        """Returns when the old credential works and the other slot is free."""
        ...

    async def fresh(self, old: SecretValues) -> dict[str, str]:
        """Returns the next credential; nothing knows it yet."""
        ...

    async def give(self, new: SecretValues) -> None:
        """Makes the target accept it, beside the old one."""
        ...

    async def test(self, new: SecretValues) -> None:
        """Logs in with it."""
        ...

    async def users(self, old: SecretValues) -> tuple[str, ...]:
        """Returns who uses the old one now, as far as the target can tell."""
        ...

    async def lock(self, old: SecretValues) -> None:
        """Keeps the old one from working, in a way that can be undone."""
        ...

    async def cut_off(self, old: SecretValues) -> None:
        """Ends what is going on with a locked one, as far as the target can."""
        ...

    async def unlock(self, old: SecretValues) -> None:
        """Lets the old one work again."""
        ...

    async def destroy(self, gone: SecretValues) -> None:
        """Makes a credential worthless for good: the old one at the end, else the new one."""
        ...


class KvEngine:
    """A value that nobody else checks: written, delivered, and the old one destroyed."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self._fields = fields or ("value",)

    async def check(self, old: SecretValues) -> None:
        """Refuses a secret without the fields that are to be made anew."""
        missing = sorted(set(self._fields) - set(old))
        if missing:
            raise InvalidRequest(f"the secret has no field {missing[0]}: see spec.fields")

    async def fresh(self, old: SecretValues) -> dict[str, str]:
        """New values for the fields, all others as they are."""
        return {**old, **{name: secrets.token_urlsafe(_BYTES) for name in self._fields}}

    async def give(self, new: SecretValues) -> None:
        """There is nobody to tell."""

    async def test(self, new: SecretValues) -> None:
        """It was read back: that is all there is to test."""

    async def users(self, old: SecretValues) -> tuple[str, ...]:
        """Nobody can tell: pods that were replaced do not have it."""
        del old
        return ()

    async def lock(self, old: SecretValues) -> None:
        """What is not in use is out of reach already."""

    async def cut_off(self, old: SecretValues) -> None:
        """As ``lock``."""

    async def unlock(self, old: SecretValues) -> None:
        """As ``lock``."""

    async def destroy(self, gone: SecretValues) -> None:
        """Its version is destroyed by whoever turns it over."""


class DatabaseEngine:
    """Two roles of PostgreSQL: the one that is not in use gets a new password."""

    def __init__(
        self, organization: str, target: DatabaseTarget, store: SecretStore, roles: DatabaseRoles
    ) -> None:
        self._organization = organization
        self._target = target
        self._store = store
        self._roles = roles

    async def check(self, old: SecretValues) -> None:
        """The old credential works; nobody is logged in as the other role.

        Raises:
            InvalidRequest: The secret is not of one of the two roles.
            Conflict: The other role is in use: it would lose its password.
        """
        other = self._other(old)
        await self._roles.log_in(self._as(old))
        admin = await self._admin()
        if await self._roles.may_log_in(admin, other):
            users = await self._roles.sessions(admin, other)
            if users:
                raise Conflict(
                    f"role {other} is to get a new password and is in use by {', '.join(users)}"
                )
            await self._roles.forget(admin, other)

    async def fresh(self, old: SecretValues) -> dict[str, str]:
        """The other role and a new password."""
        made = {USERNAME: self._other(old), PASSWORD: secrets.token_urlsafe(_BYTES)}
        return {**old, **made}

    async def give(self, new: SecretValues) -> None:
        """Gives the other role its password."""
        await self._roles.give(await self._admin(), new[USERNAME], new[PASSWORD])

    async def test(self, new: SecretValues) -> None:
        """Logs in."""
        await self._roles.log_in(self._as(new))

    async def users(self, old: SecretValues) -> tuple[str, ...]:
        """The sessions of the old role."""
        return await self._roles.sessions(await self._admin(), old[USERNAME])

    async def lock(self, old: SecretValues) -> None:
        """The old role may not log in; who is logged in stays so."""
        await self._roles.lock(await self._admin(), old[USERNAME])

    async def cut_off(self, old: SecretValues) -> None:
        """Ends the sessions of the old role."""
        await self._roles.end_sessions(await self._admin(), old[USERNAME])

    async def unlock(self, old: SecretValues) -> None:
        """It may again, with its old password."""
        await self._roles.unlock(await self._admin(), old[USERNAME])

    async def destroy(self, gone: SecretValues) -> None:
        """The role may not log in and has no password."""
        await self._roles.forget(await self._admin(), gone[USERNAME])

    def _other(self, old: Mapping[str, str]) -> str:
        roles = self._target.roles
        if old.get(USERNAME) not in roles or PASSWORD not in old:
            raise InvalidRequest(
                f"the secret must have `{PASSWORD}`, and as `{USERNAME}` one of {', '.join(roles)}"
            )
        return roles[1] if old[USERNAME] == roles[0] else roles[0]

    def _as(self, values: Mapping[str, str]) -> Database:
        target = self._target
        return Database(target.host, target.port, target.name, values[USERNAME], values[PASSWORD])

    async def _admin(self) -> Database:
        path = self._target.admin_path

        def read() -> SecretValues:
            entry = self._store.describe(self._organization, path)
            return self._store.read(self._organization, path, entry.active)

        values = await asyncio.to_thread(read)
        if not {USERNAME, PASSWORD} <= set(values):
            raise InvalidRequest(f"the secret {path} needs `{USERNAME}` and `{PASSWORD}`")
        return self._as(values)


class AppRoleEngine:
    """Secret ids of an AppRole: it takes several at once, so each is a slot of its own."""

    def __init__(self, organization: str, role: str, roles: AppRoles) -> None:
        self._organization = organization
        self._role = role
        self._roles = roles

    async def check(self, old: SecretValues) -> None:
        """The old secret id is known to the role."""
        if SECRET_ID not in old:
            raise InvalidRequest(f"the secret needs the field `{SECRET_ID}`")
        await self.test(old)

    async def fresh(self, old: SecretValues) -> dict[str, str]:
        """A new secret id."""
        return {**old, SECRET_ID: secrets.token_urlsafe(_BYTES)}

    async def give(self, new: SecretValues) -> None:
        """Adds it to the role."""
        await self._call(self._roles.add, new)

    async def test(self, new: SecretValues) -> None:
        """Signs in, and lets go of the token."""
        await self._call(self._roles.sign_in, new)

    async def users(self, old: SecretValues) -> tuple[str, ...]:
        """OpenBao does not tell who signs in with which secret id."""
        del old
        return ()

    async def lock(self, old: SecretValues) -> None:
        """The role forgets it; the value is still kept, so it can be added again."""
        await self._call(self._roles.remove, old)

    async def cut_off(self, old: SecretValues) -> None:
        """Tokens that were given for it end within their own minutes."""

    async def unlock(self, old: SecretValues) -> None:
        """Adds it again."""
        await self._call(self._roles.add, old)

    async def destroy(self, gone: SecretValues) -> None:
        """The role forgets it."""
        await self._call(self._roles.remove, gone)

    async def _call(self, effect: Callable[[str, str, str], None], values: SecretValues) -> None:
        await asyncio.to_thread(effect, self._organization, self._role, values[SECRET_ID])


def engine_of(
    plan: RotationPlan, store: SecretStore, roles: DatabaseRoles, app_roles: AppRoles
) -> Engine:
    """Returns the engine of a rotation.

    Raises:
        Denied: There is no such engine in this version.
        InvalidRequest: The engine needs what the SecretRotation does not say.
    """
    if plan.engine == RotationEngine.KV:
        return KvEngine(plan.fields)
    if plan.engine == RotationEngine.DATABASE:
        if plan.database is None:
            raise InvalidRequest(f"SecretRotation {plan.rotation}: Database needs spec.database")
        return DatabaseEngine(plan.organization, plan.database, store, roles)
    if plan.engine == RotationEngine.APP_ROLE:
        if not plan.app_role:
            raise InvalidRequest(f"SecretRotation {plan.rotation}: AppRole needs spec.appRole")
        return AppRoleEngine(plan.organization, plan.app_role, app_roles)
    if plan.engine == RotationEngine.PKI:
        raise InvalidRequest(f"SecretRotation {plan.rotation}: PKI needs spec.pki")
    raise Denied(f"the engine {plan.engine} is not there yet: KV, Database, AppRole and PKI are")
