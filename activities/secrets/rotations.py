"""The steps of turning a secret over; for the task queue `secrets` alone.

No value leaves these activities: what is passed on are paths and versions. Each may be tried again
after it did its work: the secret itself says what was done already.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import activity

from activities.common.clocks import Clock
from activities.common.heartbeats import heartbeating
from activities.secrets.turns import Turns
from activities.secrets.uses import OldUses
from clients.vault import SecretEntry
from clients.vault.kv import EXPIRES
from domain.deliveries.rotations import OldUsers, SecretTurn
from domain.secrets.leaks import LONGEST_USE

_LOOK = timedelta(seconds=1)
"""How often a target is asked who uses a credential: databases tell of no log-in by themselves."""
_WINDOW = timedelta(minutes=10)
"""How long the use of a credential is waited out before the flow is told who uses it."""
_MOST_READERS = 100


class RotationActivities(Turns):
    """Effects on secrets and their targets."""

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
        if turn.plan.certificates is not None:
            left = {self._issuer(one) for one in await self._ended_by_force(turn, entry)}
            await self._certificates(turn).clear(left, old)
        found = {"before": entry.active, "newest": entry.newest}
        return turn.model_copy(update={**found, "readers": await self._readers(turn, entry)})

    async def _readers(self, turn: SecretTurn, entry: SecretEntry) -> tuple[str, ...]:
        """Who has the version in use by reading it themselves."""
        uses, organization = self._uses, turn.plan.organization
        if uses is None:
            return ()
        path, version = turn.plan.path, entry.active
        return (await asyncio.to_thread(uses.holders, organization, path, version))[:_MOST_READERS]

    @activity.defn
    async def create_version(self, turn: SecretTurn) -> SecretTurn:
        """Makes the next value and writes it, with the old one pinned as the one in use.

        That it is coming is written before: whoever sets the secret meanwhile is refused.
        Idempotent: a version with the mark of this turn is adopted.

        Raises:
            StaleRevision: Somebody else wrote the secret meanwhile.
        """
        newest = (await self._entry(turn)).newest
        if newest > turn.newest:
            version = await self._adopted(turn, newest, turn.mark)
        else:
            await self._coming(turn, turn.base)
            values = await self._engine(turn).fresh(await self._values(turn, turn.base))
            version = await self._written(turn, values, turn.mark)
        made = turn.model_copy(update={"version": version})
        return made.model_copy(update={"expires": await self._ends(made)})

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
        """Makes the version with the old credential the one in use again. Idempotent."""
        await self._use(turn, turn.base)

    @activity.defn
    async def observe_old_users(self, turn: SecretTurn) -> OldUsers:
        """Waits until the old credential was seen unused for as long as the plan wants.

        Idempotent: a reading; a later try begins its time anew. Cancel: at once. Heartbeat: who
        uses it. Answers who uses it when it does not end within some minutes.
        """
        clock, engine = Clock(), self._engine(turn)
        old = await self._values(turn, turn.before)
        uses = OldUses(self._uses, self._app_roles, turn)
        await uses.begin(old)
        quiet, begun = timedelta(seconds=turn.plan.quiet_seconds), clock.now()
        users: tuple[str, ...] = ()
        since: datetime | None = None
        async with heartbeating(lambda: list(users)):
            while True:
                users = (*await engine.users(old), *await uses.now())
                now = clock.now()
                since = None if users else since or now
                if since is not None and now - since >= quiet:
                    return OldUsers(unused=True)
                told = tuple(sorted({*users, *uses.seen}))
                if told and now - begun > (LONGEST_USE if turn.plan.leaked else _WINDOW):
                    return OldUsers(users=told)
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
        for passed in (turn.trust, turn.version) if turn.last else ():
            await self._erase(turn, passed)
        await self._destroy(turn, turn.before)
        # When the old one would have expired says nothing of the new one.
        ends = turn.expires.isoformat(timespec="seconds") if turn.expires else None
        await self._released(turn, {EXPIRES: ends})

    @activity.defn
    async def withdraw_new(self, turn: SecretTurn) -> None:
        """Destroys the new credential, if there is one, and lets others set the secret again.

        What somebody else wrote meanwhile is left and comes into use. Idempotent.
        """
        entry = await self._entry(turn)
        version, in_use = turn.version, turn.before
        if not version and entry.newest > turn.newest:
            own = await self._mark(turn, entry.newest) == turn.mark
            version = entry.newest if own else 0
        if version:
            await self._destroy(turn, version)
        if entry.newest > (version or turn.newest):
            in_use = entry.newest
        await self._use(turn, in_use)
        await self._released(turn, {})

    async def _ended_by_force(self, turn: SecretTurn, entry: SecretEntry) -> set[str]:
        """The former turns of this rotation that neither came to their end nor were undone."""
        later = [one for one in entry.versions if one.is_readable and one.number > entry.active]
        marks = [await self._mark(turn, one.number) for one in later]
        found = {entry.rotation, *(mark.rpartition("/")[0] for mark in marks)}
        own = turn.id.rpartition("/")[0]
        return {one for one in found - {turn.id} if one.rpartition("/")[0] == own}

    async def _ends(self, turn: SecretTurn) -> datetime | None:
        """When the new credential is to be used no more; None = nobody says so."""
        ends = await self._engine(turn).ends(await self._values(turn, turn.version))
        if turn.plan.max_age_seconds:
            oldest = Clock().now() + timedelta(seconds=turn.plan.max_age_seconds)
            ends = min(ends, oldest) if ends else oldest
        return ends.replace(microsecond=0) if ends else None
