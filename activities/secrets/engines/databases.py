"""Two roles of a PostgreSQL database that take turns."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from activities.secrets.engines.contract import PASSWORD, USERNAME, generated, other_of
from clients.databases import Database, DatabaseRoles
from clients.vault import SecretStore, SecretValues
from domain.deliveries.rotations import DatabaseTarget
from domain.errors import Conflict, InvalidRequest


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
        made = {USERNAME: self._other(old), PASSWORD: generated()}
        return {**old, **made}

    async def ends(self, new: SecretValues) -> None:
        """A password does not end by itself."""

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
        return other_of(self._target.roles, old)

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
