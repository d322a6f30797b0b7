"""How the demo is told: stages with their times, commands before the reader's eyes, waits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from rich.console import Console

from scripts.sample import DemoFailed

ROOT = Path(__file__).resolve().parent.parent
ORGANIZATION = "acme"
COMPONENT = "web"
PATIENCE = 300.0
"""Seconds a stage may take on a slow machine before the demo gives up."""

console = Console(highlight=False, soft_wrap=True)


class Teller:
    """Acts for the people of the demo and shows what they do."""

    def __init__(self, name: str) -> None:
        self.name = name
        """Of the stack."""
        self.stages: list[tuple[str, float]] = []
        self.environment: dict[str, str] = {}
        self.folder = Path()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Announces and times a stage."""
        console.print(f"\n[bold]== {name}[/bold]")
        start = time.monotonic()
        yield
        self.stages.append((name, time.monotonic() - start))

    @property
    def gateway(self) -> str:
        """Where the gateway listens: not every resolver knows the names below `localhost`."""
        return self.environment["PAVANE_GATEWAY__URL"]

    def person(self, user: str) -> dict[str, str]:
        """Returns the environment in which `pavane` acts for somebody."""
        return {**self.environment, "PAVANE_CONFIG_DIR": str(self.folder / "people" / user)}

    def now(self, environment: str = "development") -> dict[str, Any]:
        """Returns what runs in an environment, and why nothing newer."""
        found = self.answer("status", COMPONENT)["environments"]
        return next(dict(one) for one in found if one["environment"] == environment)

    def until(
        self,
        reached: Callable[[dict[str, Any]], bool],
        failed: Callable[[dict[str, Any]], bool] = lambda _: False,
        environment: str = "development",
    ) -> dict[str, Any]:
        """Waits for a state of an environment.

        Raises:
            DemoFailed: It did not come, or another one did.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            seen = self.now(environment)
            if reached(seen):
                return seen
            if failed(seen) or time.monotonic() > deadline:
                message = f"{seen['environment']}: {seen['reason']} {seen['message']}"
                raise DemoFailed(message)
            time.sleep(0.5)

    def eventually(self, what: str, look: Callable[[], Any]) -> Any:
        """Looks until there is something; returns it.

        Raises:
            DemoFailed: There was nothing in time.
        """
        deadline = time.monotonic() + PATIENCE
        while not (found := look()):
            if time.monotonic() > deadline:
                message = f"waited for {what}, in vain"
                raise DemoFailed(message)
            time.sleep(0.3)
        return found

    def ask(self, url: str) -> httpx.Response:
        """Asks the service through the gateway."""
        answer = httpx.get(self.gateway, headers=host_of(url), timeout=10)
        answer.raise_for_status()
        return answer

    def answer(self, *arguments: str, user: str = "dev") -> Any:
        """Returns what a `pavane` command says as JSON; None when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments, "-o", "json"],
            cwd=ROOT, env={**os.environ, **self.person(user)},
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        return json.loads(done.stdout) if done.returncode == 0 else None

    def lines(self, *arguments: str, person: dict[str, str]) -> Iterator[str]:
        """Runs `pavane` before the reader's eyes; yields each line while it is said."""
        console.print(f"$ pavane {' '.join(arguments)}")
        with subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT, env={**os.environ, **person}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,  # progress is told there
        ) as running:  # fmt: skip
            for line in running.stdout or ():
                console.print(line.rstrip(), markup=False)
                yield line

    def pavane(
        self, *arguments: str, person: dict[str, str] | None = None, stdin: str | None = None,
        check: bool = True, quiet: bool = False,
    ) -> None:  # fmt: skip
        """Runs `pavane` before the reader's eyes.

        Raises:
            DemoFailed: It ended with an error, and ``check`` was asked for.
        """
        if not quiet:
            console.print(f"$ pavane {' '.join(arguments)}")
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT, env={**os.environ, **(person or {})}, input=stdin, text=True, check=False,
            stdout=subprocess.DEVNULL if quiet else None,
        )  # fmt: skip
        if check and done.returncode != 0:
            message = f"pavane {' '.join(arguments[:2])} ended with exit code {done.returncode}"
            raise DemoFailed(message)


def host_of(url: str) -> dict[str, str]:
    """Returns the header by which the gateway knows which service is asked for."""
    return {"Host": urlsplit(url).netloc}
