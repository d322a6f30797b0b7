"""The database of the demo: PostgreSQL of Debian's package, in a cluster of its own."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path

from devstack.programs import Silent, ensure
from runtime.ports import free_port
from scripts.sample import DemoFailed

_OWNER = "postgres"
ROLES = ("visits_a", "visits_b")
ADMIN = "visits_admin"


class DemoDatabase:
    """A server on one address, which pods reach; it outlives the demo until it is removed."""

    def __init__(self, name: str, host: str) -> None:
        """Where it is to be: ``name`` of the stack, ``host`` the machine's end of its link."""
        self.host = host
        self._cluster = f"pavane-{name}"
        # The package's tools put quotes, which an address needs, only around what is no number.
        self._listens = f"localhost,{host}"

    @property
    def port(self) -> int:
        """Its port."""
        return int(self._there()[2])

    def start(self) -> bool:
        """Has it run, with its roles; tells whether it was made now.

        Raises:
            DemoFailed: A program of the package refused.
        """
        ensure(["postgresql"], progress=Silent())
        is_new = self._line() is None
        if is_new:
            self._create()
        version, _, port, state = self._there()[:4]
        listens = ("listen_addresses", self._listens)
        known = self._run("pg_conftool", "-s", version, self._cluster, "show", listens[0])
        if known.strip() != self._listens:
            self._run("pg_conftool", version, self._cluster, "set", *listens)
            state = "down" if state == "down" else "to be started again"
        if state != "online":
            action = "start" if state == "down" else "restart"
            self._run("pg_ctlcluster", version, self._cluster, action)
        known_roles = self._sql(port, "SELECT rolname FROM pg_roles").split()
        for role in {*ROLES, ADMIN} - set(known_roles):
            self._sql(port, f"CREATE ROLE {role} NOLOGIN")
        members = f"GRANT {', '.join(ROLES)} TO {ADMIN} WITH ADMIN OPTION"
        self._sql(port, f"ALTER ROLE {ADMIN} LOGIN CREATEROLE; GRANT pg_monitor TO {ADMIN}")
        self._sql(port, members)
        return is_new

    def passwords(self) -> dict[str, str]:
        """Gives the first role and the administrator new passwords; returns them."""
        made = {role: secrets.token_urlsafe(24) for role in (ROLES[0], ADMIN)}
        given = "".join(f"ALTER ROLE {one} LOGIN PASSWORD '{word}';" for one, word in made.items())
        self._sql(self._there()[2], f"{given} ALTER ROLE {ROLES[1]} NOLOGIN")
        return made

    def remove(self) -> None:
        """Ends it and removes its data; nothing where there is none."""
        found = self._line()
        if found is not None:
            self._run("pg_dropcluster", "--stop", found[0], self._cluster)

    def _create(self) -> None:
        version = max(Path("/usr/lib/postgresql").iterdir(), key=lambda one: float(one.name)).name
        options = ("--port", str(free_port()), "-o", f"listen_addresses={self._listens}")
        self._run("pg_createcluster", version, self._cluster, *options)
        rules = Path(f"/etc/postgresql/{version}/{self._cluster}/pg_hba.conf")
        rules.write_text(f"{rules.read_text()}\nhost all all all scram-sha-256\n")

    def _there(self) -> Sequence[str]:
        found = self._line()
        if found is None:
            message = f"there is no PostgreSQL cluster {self._cluster}"
            raise DemoFailed(message)
        return found

    def _sql(self, port: str, statements: str) -> str:
        """By standard input: what is an argument others see."""
        return self._run("psql", "-qAtX", "-p", port, stdin=statements, user=_OWNER)

    def _line(self) -> Sequence[str] | None:
        """Version, name, port and state, as the package's own list has it."""
        if not Path("/usr/bin/pg_lsclusters").exists():
            return None
        lines = [line.split() for line in self._run("pg_lsclusters", "-h").splitlines()]
        return next((line for line in lines if line[1] == self._cluster), None)

    def _run(self, *command: str, stdin: str = "", user: str | None = None) -> str:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, input=stdin, user=user, cwd="/",
            env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        if done.returncode != 0:
            message = f"{command[0]}: {done.stderr.strip()}"
            raise DemoFailed(message)
        return done.stdout
