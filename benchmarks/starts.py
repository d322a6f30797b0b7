"""Measures how soon the command line answers and the processes are ready."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from benchmarks.samples import Budget, Samples
from benchmarks.sightings import NotMeasured
from runtime.ports import free_port

_ROOT = Path(__file__).resolve().parent.parent
_CLI = (sys.executable, "-m", "cli")
_PATIENCE = 60.0
_PAUSE = 0.01
_CLI_BUDGET = Budget(p50=0.3)
_WORKER_BUDGET = Budget(p50=2.0)


def cli_start(*words: str, runs: int = 10, environment: Mapping[str, str] | None = None) -> Samples:
    """Runs a command, once uncounted so that its files are in memory.

    A command may fail, as ``status`` does for a person who is not logged in: measured is how soon
    it answers.
    """
    variables = _environment(environment or {})
    seconds = []
    for _ in range(1 + runs):
        start = time.perf_counter()
        subprocess.run((*_CLI, *words), cwd=_ROOT, env=variables, check=False, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return Samples(f"pavane {' '.join(words)}", tuple(seconds[1:]), _CLI_BUDGET)


def worker_start(environment: Mapping[str, str], runs: int = 5) -> Samples:
    """Starts one more worker until it is ready, then stops it in order."""
    seconds = [_ready_after("worker", "PAVANE_WORKER__LISTEN", environment) for _ in range(runs)]
    return Samples("worker until ready", tuple(seconds), _WORKER_BUDGET)


def api_start(environment: Mapping[str, str], runs: int = 5) -> Samples:
    """Starts one more API until it is ready, then stops it in order."""
    seconds = [_ready_after("api.main", "PAVANE_API__LISTEN", environment) for _ in range(runs)]
    return Samples("API until ready", tuple(seconds))


def _ready_after(module: str, listen: str, environment: Mapping[str, str]) -> float:
    address = f"127.0.0.1:{free_port()}"
    variables = {**_environment(environment), listen: address}
    start = time.perf_counter()
    process = subprocess.Popen(
        (sys.executable, "-m", module),
        cwd=_ROOT,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _is_ready(address):
            if process.poll() is not None or time.perf_counter() - start > _PATIENCE:
                raise NotMeasured(f"{module} did not become ready")
            time.sleep(_PAUSE)
        return time.perf_counter() - start
    finally:
        process.terminate()
        process.wait()


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Without byte code every start would compile all it imports, which no installation does."""
    return {
        name: value
        for name, value in {**os.environ, **more}.items()
        if name != "PYTHONDONTWRITEBYTECODE"
    }


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/readyz", timeout=2).is_success
    except httpx.HTTPError:
        return False
