"""PostgreSQL of Debian's package, for Temporal and for Pavane's records."""

import asyncio
import os
import pwd
import secrets
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path

import asyncpg

from devstack.component import Component, Part, Step, TcpProbe
from devstack.context import StackContext
from devstack.errors import DevstackError
from devstack.files import write_private
from devstack.state import StateDir

DATABASES = {"temporal": "temporal", "temporal_visibility": "temporal", "pavane": "pavane"}
"""Database -> the role that owns it."""
_SUPERUSER = "postgres"
_LOOPBACK = "127.0.0.1"
_INTERRUPT = 2
"""Ends open sessions at once; SIGTERM would wait for them."""


def parts(context: StackContext) -> Sequence[Part]:
    """The server, and a role and its databases for each who uses it."""
    folder, port = data_folder(context), context.ports["postgresql"]

    async def initialise() -> None:
        _make_passwords(context.state)
        if not (folder / "PG_VERSION").exists():
            await _initialise(context, folder)

    async def create_databases() -> None:
        await _create_databases(context.state, port)

    return [
        Component(
            name="postgresql",
            argv=lambda: (
                *_as_owner(),
                str(_programs() / "postgres"),
                *("-D", str(folder), "-p", str(port), "-h", _LOOPBACK, "-k", ""),
                *("-c", "max_connections=200"),
            ),
            before_start=initialise,
            ready=TcpProbe(_LOOPBACK, port),
            stop_signal=_INTERRUPT,
        ),
        Step(name="databases", run=create_databases, needs=("postgresql",)),
    ]


def environment(context: StackContext) -> dict[str, str]:
    """Where Pavane keeps its records; the password is in a file that only the owner reads."""
    port = context.ports["postgresql"]
    return {
        "PAVANE_RECORDS__URL": f"postgresql://pavane@{_LOOPBACK}:{port}/pavane",
        "PGPASSFILE": str(_password_file(context.state)),
    }


def password(state: StateDir, role: str) -> str:
    """Returns the password of a role."""
    return (state.secrets / f"postgresql-{role}").read_text()


def data_folder(context: StackContext) -> Path:
    """Where the data are: for root where PostgreSQL's own user can go, as it refuses to be root."""
    if os.geteuid() != 0:
        return context.state.data / "postgresql"
    place = zlib.crc32(str(context.state.root).encode())
    return Path("/var/lib/postgresql") / f"pavane-{context.name}-{place:08x}"


def _programs() -> Path:
    """Where the programs are, whichever version the distribution has."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: float(one.parent.name)
    )
    if not found:
        message = (
            "PostgreSQL is not installed; run `pavane stack up` again, or apt install postgresql"
        )
        raise DevstackError(message)
    return found[-1]


def _as_owner() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    return ("setpriv", f"--reuid={_SUPERUSER}", f"--regid={_SUPERUSER}", "--init-groups")


def _password_file(state: StateDir) -> Path:
    return state.secrets / "pgpass"


def _make_passwords(state: StateDir) -> None:
    lines = []
    for role in (_SUPERUSER, *sorted(set(DATABASES.values()))):
        file = state.secrets / f"postgresql-{role}"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(24))
        lines.append(f"{_LOOPBACK}:*:*:{role}:{file.read_text()}\n")
    write_private(_password_file(state), "".join(lines))


async def _initialise(context: StackContext, folder: Path) -> None:
    """Makes an empty cluster; a half-made one of a run that was cut off is made anew."""
    context.state.keep_outside(folder)
    _make_empty(folder)
    secret = folder.with_name(f"{folder.name}.password")
    context.state.keep_outside(secret)
    write_private(secret, password(context.state, _SUPERUSER))
    _give(secret)
    initdb = await asyncio.create_subprocess_exec(
        *_as_owner(),
        _programs() / "initdb",
        *("-D", folder, "-U", _SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"),
        f"--pwfile={secret}",
        cwd="/",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await initdb.communicate()
    secret.unlink()
    if initdb.returncode != 0:
        _make_empty(folder)
        message = f"initdb: {said.decode(errors='replace').strip().splitlines()[-1]}"
        raise DevstackError(message)


def _make_empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    _give(folder)


def _give(path: Path) -> None:
    """Lets the server's user have what root made."""
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_SUPERUSER)
        os.chown(path, owner.pw_uid, owner.pw_gid)


async def _create_databases(state: StateDir, port: int) -> None:
    """Makes what is missing of roles and databases. Safe to repeat."""
    connection = await asyncpg.connect(
        host=_LOOPBACK,
        port=port,
        user=_SUPERUSER,
        database="postgres",
        password=password(state, _SUPERUSER),
    )
    try:
        roles = {one["rolname"] for one in await connection.fetch("SELECT rolname FROM pg_roles")}
        for role in sorted({*DATABASES.values()} - roles):
            made = password(state, role).replace("'", "''")
            await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{made}'")
        known = {
            one["datname"] for one in await connection.fetch("SELECT datname FROM pg_database")
        }
        for database, role in DATABASES.items():
            if database not in known:
                await connection.execute(f"CREATE DATABASE {database} OWNER {role}")
    finally:
        await connection.close()
