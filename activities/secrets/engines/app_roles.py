"""Secret ids of an AppRole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from activities.common.clocks import Clock
from activities.secrets.engines.contract import generated
from clients.vault import SecretValues
from clients.vault.approles import AppRoles
from domain.errors import InvalidRequest

SECRET_ID = "secret_id"  # noqa: S105 - the name of a field


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
        return {**old, SECRET_ID: generated()}

    async def ends(self, new: SecretValues) -> datetime | None:
        """When a secret id ends that is added now; the role says how long it lives."""
        del new
        lives = await asyncio.to_thread(self._roles.lives, self._organization, self._role)
        return Clock().now() + lives if lives else None

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
