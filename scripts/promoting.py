"""The second half of the demo: to the next environments, by policy and by people, and back."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import httpx

from scripts.load import Load
from scripts.sample import DemoFailed
from scripts.telling import COMPONENT, ORGANIZATION, Teller, console, host_of

PRODUCTION = f"promotion/{ORGANIZATION}/{COMPONENT}/production"


class Promoting:
    """What happens to a version after development."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    def to_staging(self, version: str) -> None:
        """The pipeline takes it there by itself, once its smoke test has passed."""
        console.print("The pipeline takes what is ready in development on to staging by itself:")
        self._teller.until(
            lambda seen: seen["version"] == version and seen["ready"], environment="staging"
        )
        self._teller.pavane("pipeline", "show", COMPONENT, person=self._dev)

    def to_production(self, version: str) -> None:
        """Dev asks, Ada agrees; then it is watched for a while."""
        self._agreed()
        self._teller.pavane("operations", "watch", PRODUCTION, person=self._dev)
        seen = self._teller.now("production")
        if seen["version"] != version:
            message = f"production runs {seen['version']}, not {version}"
            raise DemoFailed(message)
        console.print(f"$ curl {seen['url']}\n{self._teller.ask(seen['url']).text.strip()}")

    def bad_version(self) -> None:
        """What passed every gate breaks under the requests of production, and is taken back."""
        before = self._teller.now("production")
        self._agreed()
        with ExitStack() as crowd:
            load = Load(self._teller.gateway, host_of(before["url"]))
            began = time.monotonic()
            for line in self._teller.lines("operations", "watch", PRODUCTION, person=self._dev):
                if line.split()[:2] == ["verify", "running"]:
                    console.print("It is ready, and people come: twenty requests a second.")
                    began = time.monotonic()
                    crowd.enter_context(load)
            ended = self._operation()
            if ended["phase"] == "Failed":
                self._teller.eventually("an answer", lambda: self._answers(before))
            took = time.monotonic() - began
        console.print(f"{ended['phase']}: {ended['summary']}")
        console.print(
            f"{load.failed} of {load.requests} requests failed; after {took:.0f} s production "
            f"answers with {before['version']} again, without anybody having done anything"
        )
        if ended["phase"] != "Failed" or "rolled back to" not in ended["summary"]:
            message = "the bad version was not rolled back"
            raise DemoFailed(message)

    def aftermath(self) -> None:
        """It stays away until a person says else; and all of it is on record."""
        for command in (("hold", "list"), ("veto", "list"), ("why", COMPONENT, "production")):
            self._teller.pavane(*command, person=self._dev)
        self._teller.pavane(
            "audit", "list", "-e", "production", "--limit", "12", person=self._teller.person("ada")
        )
        self._teller.pavane("audit", "verify", person=self._teller.person("ada"))

    @property
    def _dev(self) -> dict[str, str]:
        return self._teller.person("dev")

    def _agreed(self) -> None:
        """A promotion that somebody asked for and somebody else agreed to."""
        tell = self._teller
        tell.pavane("promote", COMPONENT, "production", "--plan", person=self._dev)
        tell.pavane("promote", COMPONENT, "production", "--no-wait", person=self._dev)
        tell.eventually("somebody to be asked", self._is_asked)
        console.print("Who asks cannot agree; Ada, a platform engineer, can:")
        tell.pavane("approvals", "approve", PRODUCTION, "--yes", person=self._dev, check=False)
        ada = tell.person("ada")
        tell.pavane("approvals", "list", person=ada)
        reason = ("--reason", "looked at it in staging")
        tell.pavane("approvals", "approve", PRODUCTION, "--yes", *reason, person=ada)

    def _is_asked(self) -> bool:
        found = self._teller.answer("approvals", "show", PRODUCTION, user="ada")
        return found is not None and not found["outcome"]

    def _operation(self) -> dict[str, Any]:
        found = self._teller.answer("operations", "show", PRODUCTION)
        return dict(found or {"phase": "", "steps": [], "summary": ""})

    def _answers(self, before: dict[str, Any]) -> bool:
        """Tells whether what ran before answers again."""
        try:
            commit = str(self._teller.ask(before["url"]).json()["commit"])
        except httpx.HTTPError:
            return False
        return commit.startswith(before["version"])
