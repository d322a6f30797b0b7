"""docker-compose.yml, brought up by a real engine, and what a person does with it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import stamina

from tests.compose import standins
from tests.compose.engine import CommandFailed, Engine

ROOT = Path(__file__).parents[2]
API = "http://127.0.0.1:8090"
_KUBECTL = ("kubectl", "--kubeconfig=/output/kubeconfig.yaml")


@dataclass(frozen=True)
class Composed:
    """The project as Compose knows it."""

    engine: Engine
    environment_file: Path
    password: str

    def compose(self, *arguments: str, timeout: float = 1200) -> str:
        """Runs Docker Compose with the file, the override for tests and an ``.env`` of its own.

        Raises:
            CommandFailed: it ended with an error; says what services said last.
        """
        command = [
            str(self.engine.programs["docker-compose"]),
            f"--env-file={self.environment_file}",
            *("--file", "docker-compose.yml", "--file", "docker/compose.test.yml"),
            *arguments,
        ]
        return self.engine.run(command, cwd=ROOT, timeout=timeout)

    def services(self) -> dict[str, dict[str, Any]]:
        """Every container by its service."""
        lines = self.compose("ps", "--all", "--format=json").splitlines()
        return {one["Service"]: one for line in lines if (one := json.loads(line))}

    def kubectl(self, *arguments: str) -> str:
        """Asks Kubernetes from inside its container."""
        return self.compose("exec", "--no-TTY", "k3s", *_KUBECTL, *arguments)

    def pavane(self, *arguments: str, stdin: str = "") -> str:
        """Runs the command line of this checkout, as a person on the machine does.

        Raises:
            CommandFailed: it ended with an error.
        """
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "PAVANE_CONFIG_DIR": str(self.engine.folder / "person"),
                "PAVANE_API__URL": API,
                "PAVANE_ORGANIZATION": "acme",
                "NO_COLOR": "1",
            },
            input=stdin,
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode != 0:
            message = f"pavane {' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
            raise CommandFailed(message)
        return done.stdout

    def container(self, service: str) -> str:
        """The id of the container of a service."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    def state(self, service: str) -> dict[str, Any]:
        """What the engine knows of the container of a service."""
        found: dict[str, Any] = json.loads(
            self.engine.docker("inspect", "--format={{json .State}}", self.container(service))
        )
        return found

    def kill(self, service: str) -> None:
        """Kills the container from outside, as a crash does: the engine restarts it by itself."""
        pid = self.state(service)["Pid"]
        os.kill(pid, 9)

    def restarts(self, service: str) -> int:
        """How often the engine has restarted the container."""
        count = self.engine.docker("inspect", "--format={{.RestartCount}}", self.container(service))
        return int(count)


@stamina.retry(on=AssertionError, attempts=None, wait_initial=0.5, wait_max=2, timeout=240)
def eventually(condition: Callable[[], bool], what: str) -> None:
    """Returns when the condition holds; fails by the name of what is waited for."""
    assert condition(), what


def ready(address: str) -> bool:
    """Whether a process of Pavane says that all it needs is there."""
    try:
        return httpx.get(f"{address}/readyz", timeout=10).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@contextmanager
def composed(engine: Engine) -> Iterator[Composed]:
    """Brings the profile `core` up and takes it down again, volumes and all."""
    password = secrets.token_urlsafe(12)
    file = engine.folder / "env"
    file.write_text(
        "COMPOSE_PROFILES=core\n"
        f"POSTGRES_PASSWORD={secrets.token_urlsafe(12)}\n"
        f"DEMO_PASSWORD={password}\n"
        f"PAVANE_TEST_CA={standins.bundle()}\n"
    )
    file.chmod(0o600)
    made = Composed(engine, file, password)
    made.compose("build", "--quiet", "api")
    try:
        made.compose("up", "--detach", "--wait", "--wait-timeout=600", "--no-build")
        yield made
    except CommandFailed as error:
        logs = made.compose("logs", "--no-color", "--tail=15")
        error.add_note(logs)
        raise
    finally:
        made.compose("down", "--volumes", "--timeout=20")
