"""A Docker engine in a folder of its own, for the time of a block, and Compose to talk to it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import stamina

from devstack.programs import Silent, ensure
from runtime.ports import free_port

_NETWORK = "172.30.92.1/24"
"""Of containers outside of Compose; the network of docker-compose.yml is another."""
_BRIDGE = "docker0"


class CommandFailed(Exception):
    """A command did not end well; says what it wrote."""


@dataclass(frozen=True)
class Engine:
    """Where the engine listens, and the programs that talk to it."""

    folder: Path
    programs: Mapping[str, Path]
    environment: dict[str, str] = field(default_factory=dict)

    def docker(self, *arguments: str, timeout: float = 900) -> str:
        """Runs the command line of Docker; returns what it wrote.

        Raises:
            CommandFailed: it ended with an error.
        """
        return self.run([str(self.programs["docker"]), *arguments], timeout=timeout)

    def run(self, command: Sequence[str], *, timeout: float = 900, cwd: Path | None = None) -> str:
        """Runs a program that finds the engine; returns its standard output.

        Raises:
            CommandFailed: it ended with an error.
        """
        done = subprocess.run(
            command,
            check=False,
            cwd=cwd,
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if done.returncode != 0:
            words = f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
            message = f"{Path(command[0]).name} {' '.join(command[1:6])}: {words}"
            raise CommandFailed(message)
        return done.stdout


@contextmanager
def engine() -> Iterator[Engine]:
    """Yields an engine; at the end it and all it made are gone."""
    programs = ensure(["docker", "compose", "containerd", "runc", "iptables"], progress=Silent())
    files = {name: path for program in programs.values() for name, path in program.files.items()}
    if _BRIDGE in psutil.net_if_addrs():
        message = f"there is a {_BRIDGE} already: stop the Docker engine of this machine first"
        raise CommandFailed(message)
    folder = Path(tempfile.mkdtemp(prefix="pavane-docker-"))
    policy = _rules("filter", "FORWARD")[0]
    address = f"unix://{folder}/docker.sock"
    made = Engine(
        folder,
        files,
        {
            "DOCKER_HOST": address,
            "DOCKER_BUILDKIT": "1",
            "DOCKER_CONFIG": str(folder / "config"),
            "DOCKER_API_VERSION": "1.41",
        },
    )
    process = _start(made, address)
    try:
        _wait(made)
        yield made
    finally:
        _end(process)
        _forget_network(policy)
        _remove(folder)


def _start(made: Engine, address: str) -> subprocess.Popen[bytes]:
    with (made.folder / "dockerd.log").open("wb") as log:
        return subprocess.Popen(
            [
                made.programs["dockerd"],
                f"--data-root={made.folder / 'data'}",
                f"--exec-root={made.folder / 'exec'}",
                f"--pidfile={made.folder / 'pid'}",
                f"--host={address}",
                f"--bip={_NETWORK}",
                f"--metrics-addr=127.0.0.1:{free_port()}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@stamina.retry(on=CommandFailed, attempts=60, wait_initial=0.2, wait_max=1, timeout=60)
def _wait(made: Engine) -> None:
    made.docker("version", timeout=30)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the engine and whatever it started, also when it no longer can."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for each in psutil.wait_procs(family, timeout=10)[1]:
        each.kill()


def _rules(table: str, *chain: str) -> list[str]:
    command = ["iptables", "-t", table, "-S", *chain]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def _forget_network(policy: str) -> None:
    """Takes back what an engine leaves: its bridge, its rules, and that nothing is forwarded."""
    for table in ("filter", "nat"):
        rules = _rules(table)
        mine = [rule for rule in rules if "DOCKER" in rule or _BRIDGE in rule]
        added = [["-D", *shlex.split(rule)[1:]] for rule in mine if rule.startswith("-A ")]
        made = [["-X", rule.split()[1]] for rule in mine if rule.startswith("-N ")]
        for change in (*added, *made):
            subprocess.run(["iptables", "-t", table, *change], check=True)
    subprocess.run(["iptables", *policy.split()], check=True)
    subprocess.run(["ip", "link", "delete", _BRIDGE], check=False, capture_output=True)


def _remove(folder: Path) -> None:
    """Removes the folder; what is still mounted below it is let go first."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((one for one in mounts if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False)
    shutil.rmtree(folder)
