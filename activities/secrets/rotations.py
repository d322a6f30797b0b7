"""The steps of turning a secret over; for the task queue `secrets` alone.

No value leaves these activities: what is passed on are paths and versions. Each may be tried again
after it did its work: the secret itself says what was done already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import activity

from activities.common.clocks import Clock
from activities.common.heartbeats import heartbeating
from activities.secrets.engines import Engine, engine_of
from clients.databases import DatabaseRoles
from clients.vault import SecretEntry, SecretStore, SecretValues
from clients.vault.approles import AppRoles
from clients.vault.kv import ACTIVE, EXPIRES, ROTATION
from domain.deliveries.rotations import OldUsers, SecretTurn
from domain.errors import InvalidRequest, NotFound, StaleRevision
from domain.secrets.leaks import LONGEST_USE

_LOOK = timedelta(seconds=1)
"""How often a target is asked who uses a credential: databases tell of no log-in by themselves."""
_WINDOW = timedelta(minutes=10)
"""How long the use of a credential is waited out before the flow is told who uses it."""
Answer = TypeVar("Answer")


class RotationActivities:
    """Effects on secrets and their targets."""

    def __init__(
        self, store: SecretStore, app_roles: AppRoles, roles: DatabaseRoles | None = None
    ) -> None:
        self._store = store
        self._app_roles = app_roles
        self._roles = roles or DatabaseRoles()

    @activity.defn
    async def inspect_secret(self, turn: SecretTurn) -> SecretTurn:
        """Checks that the secret can be turned over now; returns the turn with its versions.

        Idempotent: a reading, but for a leftover of a rotation that was ended by force, which the
        target is made to forget.

        Raises:
            NotFound: There is no such secret.
            InvalidRequest: It is not as its engine needs it.
            Denied: Its present value does not work.
            Conflict: The other slot is in use.
        """
        entry = await self._entry(turn)
        old = await self._values(turn, entry.active)
        await self._engine(turn).check(old)
        return turn.model_copy(update={"before": entry.active, "newest": entry.newest})

    @activity.defn
    async def create_version(self, turn: SecretTurn) -> SecretTurn:
        """Makes the next value and writes it, with the old one pinned as the one in use.

        That it is coming is written before: whoever sets the secret meanwhile is refused.
        Idempotent: a version with the mark of this turn is adopted.

        Raises:
            StaleRevision: Somebody else wrote the secret meanwhile.
        """
        entry = await self._entry(turn)
        if entry.newest > turn.newest:
            return await self._adopted(turn, entry.newest)
        organization, path = turn.plan.organization, turn.plan.path
        notes = {ROTATION: turn.id, ACTIVE: str(turn.before)}
        await self._kept(lambda: self._store.note(organization, path, notes))
        values = self._engine(turn).fresh(await self._values(turn, turn.before))
        try:
            version = await self._kept(
                lambda: self._store.write(
                    organization, path, values, expected=turn.newest, rotation=turn.mark
                )
            )
        except StaleRevision:
            return await self._adopted(turn, (await self._entry(turn)).newest)
        return turn.model_copy(update={"version": version})

    @activity.defn
    async def give_to_target(self, turn: SecretTurn) -> None:
        """Makes the target accept the new credential beside the old one. Idempotent.

        Raises:
            InvalidRequest: The target refuses this value: another one is to be made.
        """
        await self._engine(turn).give(await self._values(turn, turn.version))

    @activity.defn
    async def test_version(self, turn: SecretTurn) -> None:
        """Logs in with the new credential. Idempotent: a reading.

        Raises:
            Denied: The target refuses it.
        """
        await self._engine(turn).test(await self._values(turn, turn.version))

    @activity.defn
    async def use_version(self, turn: SecretTurn) -> None:
        """Makes the new version the one in use: whatever is delivered from now on has it.

        Idempotent.
        """
        await self._use(turn, turn.version)

    @activity.defn
    async def use_version_before(self, turn: SecretTurn) -> None:
        """Makes the old version the one in use again. Idempotent."""
        await self._use(turn, turn.before)

    @activity.defn
    async def observe_old_users(self, turn: SecretTurn) -> OldUsers:
        """Waits until the old credential was seen unused for as long as the plan wants.

        Idempotent: a reading; a later try begins its time anew. Cancel: at once. Heartbeat: who
        uses it. Answers who uses it when it does not end within some minutes.
        """
        clock, engine = Clock(), self._engine(turn)
        old = await self._values(turn, turn.before)
        quiet, begun = timedelta(seconds=turn.plan.quiet_seconds), clock.now()
        users: tuple[str, ...] = ()
        since: datetime | None = None
        async with heartbeating(lambda: list(users)):
            while True:
                users, now = await engine.users(old), clock.now()
                since = None if users else since or now
                if since is not None and now - since >= quiet:
                    return OldUsers(unused=True)
                if users and now - begun > (LONGEST_USE if turn.plan.leaked else _WINDOW):
                    return OldUsers(users=users)
                await asyncio.sleep(_LOOK.total_seconds())

    @activity.defn
    async def lock_old(self, turn: SecretTurn) -> None:
        """Keeps the old credential from working; it can be undone. Idempotent.

        What goes on with one that leaked is ended.
        """
        engine, old = self._engine(turn), await self._values(turn, turn.before)
        await engine.lock(old)
        if turn.plan.leaked:
            await engine.cut_off(old)

    @activity.defn
    async def unlock_old(self, turn: SecretTurn) -> None:
        """Lets the old credential work again. Idempotent."""
        await self._engine(turn).unlock(await self._values(turn, turn.before))

    @activity.defn
    async def destroy_old(self, turn: SecretTurn) -> None:
        """Destroys the old credential, for good, and lets others set the secret again.

        Idempotent.
        """
        await self._destroy(turn, turn.before)
        # When the old one would have expired says nothing of the new one.
        await self._released(turn, {EXPIRES: None})

    @activity.defn
    async def withdraw_new(self, turn: SecretTurn) -> None:
        """Destroys the new credential, if there is one, and lets others set the secret again.

        What somebody else wrote meanwhile is left and comes into use. Idempotent.
        """
        entry = await self._entry(turn)
        version, in_use = turn.version, turn.before
        if not version and entry.newest > turn.newest:
            version = entry.newest if await self._is_own(turn, entry.newest) else 0
        if version:
            await self._destroy(turn, version)
        if entry.newest > (version or turn.newest):
            in_use = entry.newest
        await self._use(turn, in_use)
        await self._released(turn)

    async def _adopted(self, turn: SecretTurn, version: int) -> SecretTurn:
        if not await self._is_own(turn, version):
            raise StaleRevision(
                f"secret {turn.plan.path} of {turn.plan.organization}: somebody else wrote "
                f"version {version} while it was turned over"
            )
        return turn.model_copy(update={"version": version})

    async def _is_own(self, turn: SecretTurn, version: int) -> bool:
        plan = turn.plan
        mark = await self._kept(
            lambda: self._store.written_by(plan.organization, plan.path, version)
        )
        return mark == turn.mark

    async def _destroy(self, turn: SecretTurn, version: int) -> None:
        plan = turn.plan
        try:
            values = await self._values(turn, version)
        except NotFound:
            return  # destroyed by an earlier try, which told the target before
        await self._engine(turn).destroy(values)
        await self._kept(lambda: self._store.destroy(plan.organization, plan.path, version))

    async def _use(self, turn: SecretTurn, version: int) -> None:
        plan = turn.plan
        await self._kept(lambda: self._store.use(plan.organization, plan.path, version))

    async def _released(self, turn: SecretTurn, more: Mapping[str, None] | None = None) -> None:
        plan, notes = turn.plan, {ROTATION: None, **(more or {})}
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
        return engine_of(turn.plan, self._store, self._roles, self._app_roles)

    async def _kept(self, ask: Callable[[], Answer]) -> Answer:
        return await asyncio.to_thread(ask)
