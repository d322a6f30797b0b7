"""A real PostgreSQL beside the stack: two roles for each place, of which one may log in."""

from __future__ import annotations

import asyncio
import atexit
from contextlib import ExitStack
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from tests.postgresql import postgresql

_ADMIN, _ADMIN_WORD = "postgres", "the-administrator"
FIRST = "the-first-one"


_STACK = ExitStack()


@cache
def _server() -> str:
    """Starts the server; it ends with this process."""
    atexit.register(stop)
    return _STACK.enter_context(postgresql())


def stop() -> None:
    """Ends the server, if one was started: for a process that leaves without its exit handlers."""
    _STACK.close()


class Roles:
    """The two roles of one organization."""

    def __init__(self, organization: str) -> None:
        self.names = (f"{organization}_a", f"{organization}_b")
        self.admin = {"username": _ADMIN, "password": _ADMIN_WORD}
        self.first = {"username": self.names[0], "password": FIRST}

    async def set_up(self) -> None:
        """Makes both; from then on everybody must know a password."""
        await asyncio.to_thread(_server)
        connection = await self._connect(_ADMIN, _ADMIN_WORD)
        first, second = self.names
        await connection.execute(
            f"ALTER ROLE {_ADMIN} PASSWORD '{_ADMIN_WORD}';"
            f"CREATE ROLE {first} LOGIN PASSWORD '{FIRST}'; CREATE ROLE {second} NOLOGIN;"
        )
        hba = await connection.fetchval("SHOW hba_file")
        rule = "host all all 127.0.0.1/32 scram-sha-256"
        await connection.execute(f"COPY (SELECT '{rule}') TO '{hba}'; SELECT pg_reload_conf()")
        await connection.close()

    def target(self, admin_path: str) -> dict[str, Any]:
        """What a SecretRotation says of it."""
        url = urlsplit(_server())
        place = {"host": url.hostname, "port": url.port, "name": _ADMIN}
        return {**place, "roles": list(self.names), "adminPath": admin_path}

    async def accepts(self, held: dict[str, str]) -> bool:
        """Tells whether one can log in with what a consumer holds."""
        try:
            connection = await self._connect(held["username"], held["password"])
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
            return False
        connection.terminate()
        return True

    async def count_valid(self) -> int:
        """How many of the two may log in now."""
        connection = await self._connect(_ADMIN, _ADMIN_WORD)
        query = "SELECT count(*) FROM pg_authid WHERE rolname = ANY($1) AND rolcanlogin"
        valid: int = await connection.fetchval(query, list(self.names))
        connection.terminate()
        return valid

    async def _connect(self, user: str, password: str) -> asyncpg.Connection:
        url = urlsplit(_server())
        return await asyncpg.connect(
            host=url.hostname, port=url.port, database=_ADMIN, user=user, password=password
        )
