"""Measures the command line's start and the API's answer."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx

from benchmarks.samples import Budget, Samples

_ROOT = Path(__file__).resolve().parent.parent
_CLI = (sys.executable, "-m", "cli", "version")


def cli_start(runs: int = 5) -> Samples:
    """Runs ``pavane version``, once uncounted so that its files are in memory.

    Raises:
        subprocess.CalledProcessError: The command failed.
    """
    seconds = []
    for _ in range(1 + runs):
        start = time.perf_counter()
        subprocess.run(_CLI, cwd=_ROOT, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return Samples("CLI start (pavane version)", tuple(seconds[1:]), Budget(p50=0.3))


def api_answer(url: str, requests: int = 200) -> Samples:
    """Asks ``/healthz`` again and again over one connection, once uncounted to open it.

    Raises:
        httpx.HTTPError: The API did not answer, or not with success.
    """
    seconds = []
    with httpx.Client(base_url=url, timeout=10) as client:
        for _ in range(1 + requests):
            start = time.perf_counter()
            client.get("/healthz").raise_for_status()
            seconds.append(time.perf_counter() - start)
    return Samples("API GET /healthz", tuple(seconds[1:]))
