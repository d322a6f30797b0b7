"""The steps by which a new issuer is trusted before it signs, and an old one is trusted no more.

For the task queue `secrets` alone. Each may be tried again after it did its work.
"""

from __future__ import annotations

from temporalio import activity

from activities.secrets.turns import Turns
from domain.deliveries.rotations import SecretTurn
from domain.errors import NotFound

_BOTH, _LAST = "trust", "last"
"""Ends of the marks of the versions that are not an attempt at new certificates."""


class TrustActivities(Turns):
    """Effects on what the consumers of certificates trust."""

    @activity.defn
    async def make_trust(self, turn: SecretTurn) -> SecretTurn:
        """Writes a version with the old certificates that trusts a new issuer too.

        The turn is unchanged when the present issuer goes on. Idempotent: the issuer and the
        version of this turn are adopted.

        Raises:
            StaleRevision: Somebody else wrote the secret meanwhile.
        """
        newest, mark = (await self._entry(turn)).newest, f"{turn.id}/{_BOTH}"
        if newest > turn.newest:
            version = await self._adopted(turn, newest, mark)
        else:
            await self._coming(turn, turn.before)
            values = await self._certificates(turn).trusting_both(
                await self._values(turn, turn.before),
                self._issuer(turn.id),
                leaked=turn.plan.leaked,
            )
            if values is None:
                return turn
            version = await self._written(turn, values, mark)
        return turn.model_copy(update={"trust": version, "newest": version})

    @activity.defn
    async def use_trust(self, turn: SecretTurn) -> None:
        """Makes the version that trusts both the one in use, with the old certificates.

        Idempotent.
        """
        await self._use(turn, turn.trust)

    @activity.defn
    async def use_first(self, turn: SecretTurn) -> None:
        """Makes the version from before the turn the one in use again. Idempotent."""
        await self._use(turn, turn.before)

    @activity.defn
    async def make_last(self, turn: SecretTurn) -> SecretTurn:
        """Writes a version with the new certificates that trusts the new issuer alone.

        Idempotent: the version of this turn is adopted.

        Raises:
            StaleRevision: Somebody else wrote the secret meanwhile.
        """
        newest, mark = (await self._entry(turn)).newest, f"{turn.id}/{_LAST}"
        if newest > turn.version:
            version = await self._adopted(turn, newest, mark)
        else:
            values = self._certificates(turn).trusting_new(await self._values(turn, turn.version))
            expected = turn.model_copy(update={"newest": turn.version})
            version = await self._written(expected, values, mark)
        return turn.model_copy(update={"last": version})

    @activity.defn
    async def use_last(self, turn: SecretTurn) -> None:
        """Makes the version that trusts the new issuer alone the one in use. Idempotent."""
        await self._use(turn, turn.last)

    @activity.defn
    async def forget_issuers(self, turn: SecretTurn) -> None:
        """Removes the issuers that are trusted no more, for good. Idempotent."""
        try:
            before = await self._values(turn, turn.before)
        except NotFound:
            return  # destroyed by a later step, which comes when they are removed
        now = await self._values(turn, turn.last)
        await self._certificates(turn).forget(before, now)

    @activity.defn
    async def withdraw_trust(self, turn: SecretTurn) -> None:
        """Destroys all that the turn wrote and the issuer it made; lets others set the secret.

        What somebody else wrote meanwhile is left and comes into use. Idempotent.
        """
        entry, in_use = await self._entry(turn), turn.before
        for one in entry.versions:
            mark = await self._mark(turn, one.number)
            if mark in {f"{turn.id}/{_BOTH}", f"{turn.id}/{_LAST}"}:
                await self._erase(turn, one.number)  # its certificates are those of another one
            elif mark.startswith(f"{turn.id}/"):
                await self._destroy(turn, one.number)
            elif one.is_readable and one.number > (turn.trust or turn.newest):
                in_use = one.number
        await self._certificates(turn).withdraw(self._issuer(turn.id))
        await self._use(turn, in_use)
        await self._released(turn, {})
