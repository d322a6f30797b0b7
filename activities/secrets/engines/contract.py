"""What turning a credential over asks of its target."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from clients.vault import SecretValues
from domain.errors import InvalidRequest

USERNAME, PASSWORD = "username", "password"
_BYTES = 32


def generated() -> str:
    """Returns a value that nobody can guess."""
    return secrets.token_urlsafe(_BYTES)


def other_of(names: Sequence[str], old: Mapping[str, str]) -> str:
    """Returns which of two names takes the next turn.

    Raises:
        InvalidRequest: The secret has neither as its user name, or no password.
    """
    if old.get(USERNAME) not in names or PASSWORD not in old:
        raise InvalidRequest(
            f"the secret must have `{PASSWORD}`, and as `{USERNAME}` one of {', '.join(names)}"
        )
    return names[1] if old[USERNAME] == names[0] else names[0]


class Engine(Protocol):
    """What a target must be able to do so that a credential of it can be turned over."""

    async def check(self, old: SecretValues) -> None:
        """Returns when the old credential works and the other slot is free."""
        ...

    async def fresh(self, old: SecretValues) -> dict[str, str]:
        """Returns the next credential; nothing knows it yet."""
        ...

    async def ends(self, new: SecretValues) -> datetime | None:
        """Returns when the target takes it no more by itself; None = it does not say."""
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
