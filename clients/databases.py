"""Roles of PostgreSQL databases: who may log in, with which password, and who is logged in.

A password never goes to the server: what is stored there is a verifier made here (RFC 5802), so no
statement log has it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from domain.errors import Denied, DependencyUnavailable, Errored, InvalidRequest, NotFound

_SECONDS = 10
_ITERATIONS = 4096
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Database:
    """Where a database is, and as whom to log in."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)

    @property
    def shown(self) -> str:
        """For messages."""
        return f"database {self.name} on {self.host}:{self.port}"


class DatabaseRoles:
    """Reads and alters roles."""

    async def log_in(self, database: Database) -> None:
        """Returns when the credential works.

        Raises:
            Denied: It is refused.
            DependencyUnavailable: The server does not answer.
        """
        async with _connected(database):
            return

    async def may_log_in(self, admin: Database, role: str) -> bool:
        """Tells whether a role may log in now.

        Raises:
            NotFound: There is no such role.
        """
        async with _connected(admin) as connection:
            found = await connection.fetchval(
                "SELECT rolcanlogin FROM pg_roles WHERE rolname = $1", role
            )
        if found is None:
            raise NotFound(f"{admin.shown} has no role {role}: create it, with NOLOGIN")
        return bool(found)

    async def give(self, admin: Database, role: str, password: str) -> None:
        """Gives a role a password and lets it log in. Idempotent.

        Raises:
            InvalidRequest: The server refuses that password.
            Errored: The administrator may not alter the role.
        """
        verifier = _verifier(password)
        await self._alter(admin, role, f"LOGIN PASSWORD '{verifier}'")

    async def lock(self, admin: Database, role: str) -> None:
        """Keeps a role from logging in; its password stays. Idempotent."""
        await self._alter(admin, role, "NOLOGIN")

    async def unlock(self, admin: Database, role: str) -> None:
        """Lets a role log in again with the password it has. Idempotent."""
        await self._alter(admin, role, "LOGIN")

    async def forget(self, admin: Database, role: str) -> None:
        """Keeps a role from logging in and takes its password away. Idempotent."""
        await self._alter(admin, role, "NOLOGIN PASSWORD NULL")

    async def sessions(self, admin: Database, role: str) -> tuple[str, ...]:
        """Returns who is logged in as a role: application and address."""
        async with _connected(admin) as connection:
            rows = await connection.fetch(
                "SELECT DISTINCT application_name, client_addr::text AS address "
                "FROM pg_stat_activity WHERE usename = $1 ORDER BY 1, 2",
                role,
            )
        return tuple(
            f"{row['application_name'] or 'an unnamed program'} at {row['address'] or 'the host'}"
            for row in rows
        )

    async def end_sessions(self, admin: Database, role: str) -> None:
        """Ends all sessions of a role. Idempotent.

        Raises:
            Errored: The administrator may not end them.
        """
        async with _connected(admin) as connection:
            try:
                await connection.fetch(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1",
                    role,
                    timeout=_SECONDS,
                )
            except asyncpg.InsufficientPrivilegeError:
                raise Errored(
                    f"{admin.shown}: {admin.user} may not end the sessions of {role}, who may be "
                    "a stranger: GRANT pg_signal_backend to it"
                ) from None
            except (asyncpg.PostgresError, OSError, TimeoutError) as error:
                raise _unavailable(admin, error) from None

    async def _alter(self, admin: Database, role: str, change: str) -> None:
        if not _ROLE.fullmatch(role):
            raise InvalidRequest(f"{role!r} is not the name of a role")
        async with _connected(admin) as connection:
            try:
                # Neither a name nor an option of a role can be a parameter of a statement.
                await connection.execute(f'ALTER ROLE "{role}" {change}', timeout=_SECONDS)
            except asyncpg.UndefinedObjectError:
                raise NotFound(f"{admin.shown} has no role {role}") from None
            except asyncpg.InsufficientPrivilegeError:
                raise Errored(f"{admin.shown}: {admin.user} may not alter role {role}") from None
            except asyncpg.InvalidPasswordError:
                raise InvalidRequest(f"{admin.shown} refuses the password for {role}") from None
            except (asyncpg.PostgresError, OSError, TimeoutError) as error:
                raise _unavailable(admin, error) from None


@asynccontextmanager
async def _connected(database: Database) -> AsyncIterator[asyncpg.Connection]:
    try:
        connection = await asyncpg.connect(
            host=database.host,
            port=database.port,
            database=database.name,
            user=database.user,
            password=database.password,
            timeout=_SECONDS,
            server_settings={"application_name": "pavane"},
        )
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidPasswordError):
        raise Denied(f"{database.shown} refuses the credential of {database.user}") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise _unavailable(database, error) from None
    try:
        yield connection
    finally:
        connection.terminate()


def _unavailable(database: Database, error: BaseException) -> DependencyUnavailable:
    """What the server says may quote a statement: its class is told only."""
    return DependencyUnavailable(f"{database.shown} does not answer ({type(error).__name__})")


def _verifier(password: str) -> str:
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, stored_text, server_text = (
        base64.b64encode(part).decode() for part in (salt, stored, server)
    )
    return f"SCRAM-SHA-256${_ITERATIONS}:{salt_text}${stored_text}:{server_text}"
