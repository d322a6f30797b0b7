"""A PostgreSQL server of Debian's package in a folder of its own, for the time of a block."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from devstack.programs import Silent, ensure
from runtime.ports import free_port

_OWNER = "postgres"
"""Who runs the server when the tests are run by root, which PostgreSQL refuses."""


def _programs() -> Path:
    """Where the server's programs are, whichever version the distribution has."""
    ensure(["postgresql"], progress=Silent())
    return max(Path("/usr/lib/postgresql").glob("*/bin"))


def _run(arguments: Sequence[str | Path]) -> None:
    user = _OWNER if os.geteuid() == 0 else None
    done = subprocess.run(
        arguments,
        check=False,
        user=user,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@contextmanager
def postgresql() -> Iterator[str]:
    """Yields the URL of the server without the name of a database."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="pavane-postgresql-"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam(_OWNER).pw_uid, -1)
    data, port = folder / "data", free_port()
    settings = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off -c max_connections=60"
    control: tuple[str | Path, ...] = (programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w")
    try:
        _run([programs / "initdb", "-D", data, "-U", _OWNER, "-A", "trust", "--no-sync"])
        _run([*control, "-o", settings, "start"])
        try:
            yield f"postgresql://{_OWNER}@127.0.0.1:{port}"
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder)
