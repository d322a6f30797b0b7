"""A full stack of its own, beside the shared one: up, a crash, repair, down, and nothing left."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from devstack.lifecycle import running
from devstack.record import StackRecord
from devstack.state import StateDir
from tests.integration.devstack_full.conftest import DEADLINE, Kubectl, web

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.sampled]

_ROOT = Path(__file__).resolve().parents[3]
_NAME = "tested"


@dataclass(frozen=True)
class Machine:
    """What a stack could leave behind on the machine."""

    mounts: str
    links: frozenset[str]
    routes: str
    packet_filter: str
    cgroups: frozenset[str]

    @classmethod
    def look(cls) -> Machine:
        return cls(
            mounts=Path("/proc/self/mounts").read_text(),
            links=frozenset(psutil.net_if_addrs()),
            routes=_output("ip", "route", "show", "table", "all"),
            packet_filter=_rules(),
            cgroups=frozenset(str(path) for path in Path("/sys/fs/cgroup").glob("*/pavane-*")),
        )


def _output(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def _rules() -> str:
    lines = _output("iptables-save").splitlines()
    return "\n".join(line for line in lines if line.startswith(("-", "*")))


@dataclass(frozen=True)
class OwnStack:
    """A stack in a folder of its own, steered by the command line as a person does."""

    base: Path

    @property
    def state(self) -> StateDir:
        return StateDir(self.base / "stacks" / _NAME)

    def command(self, *arguments: str) -> None:
        result = subprocess.run(
            (sys.executable, "-m", "cli", "stack", *arguments, "--name", _NAME),
            env={**_clean_environment(), "PAVANE_STATE_DIR": str(self.base)},
            cwd=_ROOT,
            check=False,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]

    def up(self) -> StackRecord:
        self.command("up", "--profile", "full", "--no-platform")
        record = running(self.state)
        assert record is not None
        return record

    def processes(self, record: StackRecord) -> list[psutil.Process]:
        supervisor = psutil.Process(record.supervisor.pid)
        return [supervisor, *supervisor.children(recursive=True)]


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PAVANE_")}


def _namespaces(processes: list[psutil.Process]) -> set[str]:
    """The namespaces of the processes that are not the machine's own."""
    own = {kind: Path(f"/proc/self/ns/{kind}").readlink() for kind in ("net", "mnt", "pid")}
    found = set()
    for process in processes:
        for kind, machine in own.items():
            try:
                namespace = Path(f"/proc/{process.pid}/ns/{kind}").readlink()
            except OSError:
                continue
            if namespace != machine:
                found.add(str(namespace))
    return found


async def _gone(processes: list[psutil.Process]) -> None:
    async with asyncio.timeout(60):
        while any(process.is_running() for process in processes):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.1)


@pytest.fixture
def own_stack() -> Iterator[OwnStack]:
    # Not below pytest's folder: its long names would not fit into the names of sockets.
    base = Path(tempfile.mkdtemp(prefix="pavane-"))
    stack = OwnStack(base)
    yield stack
    stack.command("down")
    shutil.rmtree(base)


async def test_a_crashed_stack_is_repaired_and_a_stack_taken_down_leaves_nothing(
    own_stack: OwnStack, kubectl_program: str
) -> None:
    before = Machine.look()
    record = own_stack.up()
    kubectl = Kubectl(kubectl_program, str(own_stack.state.kubeconfig))
    image = record.environment["PAVANE_BUILD__RUNTIME_IMAGE"]
    await kubectl.apply(*web(image))
    await kubectl.run("rollout", "status", "deployment/web", f"--timeout={DEADLINE:.0f}s")
    first = own_stack.processes(record)
    assert _namespaces(first)

    for process in first:
        with suppress(psutil.NoSuchProcess):  # some end by themselves when their parent dies
            process.send_signal(signal.SIGKILL)
    await _gone(first)
    repaired = own_stack.up()
    await _new_pods_answer(kubectl)

    second = own_stack.processes(repaired)
    namespaces = _namespaces(second)
    assert namespaces
    own_stack.command("down")
    await _gone(second)
    everything = [process for process in psutil.process_iter() if process.pid != os.getpid()]
    assert not _namespaces(everything) & namespaces
    assert Machine.look() == before


async def _new_pods_answer(kubectl: Kubectl) -> None:
    """The deployment is asked to roll out anew, which old reports of ready pods cannot answer."""
    await kubectl.run("rollout", "restart", "deployment/web")
    await kubectl.run("rollout", "status", "deployment/web", f"--timeout={DEADLINE:.0f}s")
    asked = await kubectl.run(
        *("exec", "deployment/web", "--", "python3", "-c"),
        "import urllib.request as r; print(r.urlopen('http://web.default.svc').status)",
    )
    assert asked.strip() == "200"
