"""The part of the demo about a credential: it is turned over while requests run."""

from __future__ import annotations

import string
from urllib.parse import urlsplit

from scripts.database import ADMIN, ROLES, DemoDatabase
from scripts.load import Load
from scripts.sample import DemoFailed
from scripts.telling import ROOT, Teller, console, host_of

_PATH, _ADMIN_PATH = "shop/development/visits", "shop/development/visits-admin"


class Rotating:
    """A PostgreSQL database beside the stack, and who the service is to it."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        host = urlsplit(teller.environment["PAVANE_GIT__URL"]).hostname or ""
        self._database = DemoDatabase(teller.name, host)

    def start(self) -> None:
        """Has the database run, and keeps who may sign in there in OpenBao."""
        tell = self._teller
        console.print("A PostgreSQL database; who may sign in there is kept in OpenBao:")
        is_new = self._database.start()
        where = {"HOST": self._database.host, "PORT": str(self._database.port)}
        tell.environment |= {f"DEMO_DATABASE_{key}": value for key, value in where.items()}
        if is_new or tell.answer("secret", "describe", _ADMIN_PATH, user="ada") is None:
            passwords = self._database.passwords()
            for path, role in ((_PATH, ROLES[0]), (_ADMIN_PATH, ADMIN)):
                self._keep(path, "username", role)
                self._keep(path, "password", passwords[role])

    def declare(self) -> None:
        """Who may reach it, and how its credential is turned over."""
        tell = self._teller
        rendered = tell.folder / "database"
        rendered.mkdir(parents=True, exist_ok=True)
        for name, user in (("connection", "dev"), ("rotation", "ada")):
            text = (ROOT / "examples" / "demo" / "database" / f"{name}.yaml").read_text()
            file = rendered / f"{name}.yaml"
            file.write_text(string.Template(text).substitute(tell.environment))
            tell.pavane("apply", "-f", str(file), person=tell.person(user))

    def turn_over(self) -> None:
        """Turns the credential over under load.

        Raises:
            DemoFailed: A request failed, or the service is signed in as before.
        """
        tell = self._teller
        url = tell.now()["url"]
        before = tell.ask(url).json()["database"]
        console.print(f"The service is {before}. Requests run; its credential is turned over:")
        with Load(tell.gateway, host_of(url)) as load:
            tell.pavane("secret", "rotate", "visits", person=tell.person("ada"))
        after = tell.ask(url).json()["database"]
        console.print(
            f"{load.requests} requests meanwhile, {load.failed} failed; the service is {after}"
        )
        tell.pavane("secret", "history", _PATH, person=tell.person("ada"))
        if load.failed or after == before:
            message = f"{load.failed} requests failed; the service is {after}"
            raise DemoFailed(message)

    def _keep(self, path: str, field: str, value: str) -> None:
        """Sets a field; tried again while the organization is only just being set up."""
        console.print(f"$ pavane secret set {path} {field}")
        self._teller.eventually("a place for secrets", lambda: self._is_kept(path, field, value))

    def _is_kept(self, path: str, field: str, value: str) -> bool:
        tell, asked = self._teller, ("secret", "set", path, field)
        try:
            tell.pavane(*asked, stdin=value, person=tell.person("ada"), quiet=True)
        except DemoFailed:
            return False
        return True
