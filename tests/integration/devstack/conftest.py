"""Stacks of our own, through the command line a person uses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from devstack.record import StackRecord

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Stack:
    """One core stack in a state folder of its own."""

    folder: Path
    name: str

    def run(
        self, *arguments: str, check: bool = True, settings: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs `pavane stack ...` for this stack; its name goes last, after all else."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PAVANE_", "KUBE", "TEMPORAL_", "VAULT_"))
        }
        if cache := os.environ.get("PAVANE_CACHE_DIR"):
            environment["PAVANE_CACHE_DIR"] = cache
        return subprocess.run(
            [sys.executable, "-m", "cli", "stack", *arguments, "--name", self.name],
            cwd=ROOT,
            env={**environment, "PAVANE_STATE_DIR": str(self.folder), **(settings or {})},
            capture_output=True,
            text=True,
            timeout=110,
            check=check,
        )

    def up(self) -> str:
        return self.run("up", "--profile", "core").stderr

    def record(self, *, check: bool = True) -> StackRecord:
        raw = json.loads(self.run("status", "-o", "json", check=check).stdout)
        assert raw.pop("running") is True
        raw.pop("ready")
        return StackRecord.from_json(raw)

    def processes(self) -> list[int]:
        """Every process whose command line names the folder of this stack."""
        place = str(self.folder / "stacks" / self.name).encode()
        return [pid for pid, command in _commands() if place in command]


def _commands() -> Iterator[tuple[int, bytes]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                yield int(entry.name), (entry / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stacks")


@pytest.fixture(scope="module")
def one(folder: Path) -> Iterator[Stack]:
    """A stack the tests of a module share; each makes sure it is up."""
    stack = Stack(folder, "one")
    yield stack
    stack.run("reset", "--yes", check=False)
