"""A registry that asks who pulls, beside the stack: two users for each place."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Any

from clients.registry_users import hashed
from tests.durability.vaults import Held
from tests.registries import GuardedRegistry, guarded_registry

FIRST = "the-first-one"
_FIELD = "htpasswd"
_STACK = ExitStack()


@cache
def _registry() -> GuardedRegistry:
    """Starts the registry; it ends with this process."""
    atexit.register(stop)
    return _STACK.enter_context(guarded_registry())


def stop() -> None:
    """Ends the registry, if one was started: for a process that leaves without exit handlers."""
    _STACK.close()


class Users:
    """The two users of one organization."""

    def __init__(self, organization: str) -> None:
        self._organization = organization
        self.names = (f"{organization}-blue", f"{organization}-green")
        self.first = {"username": self.names[0], "password": FIRST}

    @property
    def file(self) -> Held:
        """What the registry knows at first."""
        return {_FIELD: f"{self.names[0]}:{hashed(FIRST)}\n"}

    async def follow(self, read: Callable[[], Held]) -> None:
        """Brings what is read to the registry, whenever it changes."""
        await _registry().follow(self._organization, lambda: read()[_FIELD])

    def target(self, path: str) -> dict[str, Any]:
        """What a SecretRotation says of it."""
        return {"url": _registry().url, "users": list(self.names), "htpasswdPath": path}

    async def accepts(self, held: Held) -> bool:
        """Tells whether one can pull with what a consumer holds."""
        return not await _registry().pull(held["username"], held["password"])

    async def count_valid(self) -> int:
        """How many of the two may pull now."""
        return _registry().count(self.names)
