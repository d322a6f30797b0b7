"""Values that nobody checks."""

from __future__ import annotations

from activities.secrets.engines.contract import generated
from clients.vault import SecretValues
from domain.errors import InvalidRequest


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
        return {**old, **{name: generated() for name in self._fields}}

    async def ends(self, new: SecretValues) -> None:
        """It never does."""

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
