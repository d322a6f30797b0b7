"""Who uses the old credential of a turn, as far as OpenBao itself can tell."""

from __future__ import annotations

import asyncio

from clients.vault import SecretValues
from clients.vault.approles import AppRoles
from clients.vault.uses import SecretUses
from domain.deliveries.rotations import SecretTurn

_SECRET_ID = "secret_id"  # noqa: S105 - the name of a field


class OldUses:
    """Follows the uses of one old credential, from a moment on.

    Whoever reads the version with it, or signs in with it, uses it. A pod that reads its secret
    itself has what it read last, until it reads again.
    """

    def __init__(self, uses: SecretUses | None, app_roles: AppRoles, turn: SecretTurn) -> None:
        """``uses`` None = this worker has no audit log: nothing can be told."""
        self._uses = uses
        self._app_roles = app_roles
        self._turn = turn
        self._after = 0
        self._hash = ""
        self.seen: tuple[str, ...] = ()
        """Everybody who used it since it began."""

    async def begin(self, old: SecretValues) -> None:
        """What was before does not count."""
        if self._uses is None:
            return
        plan = self._turn.plan
        if plan.app_role and _SECRET_ID in old:
            self._hash = await asyncio.to_thread(self._app_roles.audit_hash, old[_SECRET_ID])
        self._after = await asyncio.to_thread(self._uses.position)

    async def now(self) -> tuple[str, ...]:
        """Returns who used it since the last time that this was asked, or has it."""
        if self._uses is None:
            return ()
        used = await asyncio.to_thread(self._found, self._uses)
        self.seen = tuple(sorted({*self.seen, *used}))
        return used

    def _found(self, uses: SecretUses) -> tuple[str, ...]:
        plan, after = self._turn.plan, self._after
        self._after = uses.position()
        reads = uses.readers(plan.organization, plan.path, self._turn.before, after)
        found = [f"{who}, which read version {self._turn.before}" for who in reads]
        if self._hash:
            addresses = uses.sign_ins(plan.organization, self._hash, after)
            found += [f"whoever signs in from {address}" for address in addresses]
        have = set(uses.holders(plan.organization, plan.path, self._turn.before))
        for account in self._turn.readers:
            if account in have:
                namespace, _, name = account.partition("/")
                found.append(f"{name} in {namespace}, which reads its secret itself: restart it")
        return tuple(found)
