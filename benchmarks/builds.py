"""Measures what the platform adds to a build beside Argo's own time."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import tenant
from benchmarks.samples import Samples
from benchmarks.sightings import Sightings, sightings
from benchmarks.stacks import Bench
from clients.kubernetes import Kind, Object, SharedWatches
from domain import ids
from domain.deliveries import BuildRequest
from workflows.starting import build_result, start_build

_ARGO = Kind("argoproj.io/v1alpha1", "Workflow", "workflows", namespaced=True)
_COMPONENT = "built"
_OVER = {"Succeeded", "Failed", "Error"}
_PATIENCE = 600.0
_DOCKERFILE = "ARG PYTHON_IMAGE\nFROM ${PYTHON_IMAGE}\nCOPY . /srv\n"
_THERE, _ENDED = "there", "ended"


async def builds(bench: Bench, number: int) -> list[Samples]:
    """Builds one commit after the other, the first one uncounted: it fills caches.

    Argo's time is from the first sight of its Workflow to the first sight of its end. What comes
    before is resolving, the turn and the submit, what comes after is collecting and recording.

    Raises:
        NotMeasured: A build took too long.
        BuildFailed: It failed.
    """
    times: list[tuple[float, float, float]] = []
    watches = SharedWatches(bench.cluster)
    namespace = ids.build_namespace(tenant.ORGANIZATION)
    try:
        with tempfile.TemporaryDirectory() as folder:
            source = _Source(bench, Path(folder))
            await source.declare()
            async with sightings(watches.of(_ARGO, namespace), _state) as seen:
                for turn in range(number + 1):
                    commit = await source.commit(f"turn {turn} {time.time_ns()}")
                    times.append(await _one(bench, seen, commit))
    finally:
        await watches.close()
    before, argo, after = zip(*times[1:], strict=True)
    own = tuple(one + other for one, other in zip(before, after, strict=True))
    return [
        Samples("build: the platform's own time", own),
        Samples("build: order to Argo Workflow", before),
        Samples("build: Argo's time", argo),
        Samples("build: Argo's end to the end of the build", after),
    ]


async def _one(bench: Bench, seen: Sightings, commit: str) -> tuple[float, float, float]:
    name = ids.build_name(_COMPONENT, commit)
    request = BuildRequest(
        organization=tenant.ORGANIZATION, component=_COMPONENT, commit=commit, branch="main"
    )
    start = time.perf_counter()
    started = await start_build(bench.temporal, request)
    await build_result(bench.temporal, started)
    end = time.perf_counter()
    await seen.all_of([(name, _THERE), (name, _ENDED)], "Argo Workflows", _PATIENCE)
    there, ended = seen.at((name, _THERE)), seen.at((name, _ENDED))
    return there - start, ended - there, end - ended


def _state(workflow: Object) -> tuple[str, str]:
    phase = workflow.get("status", {}).get("phase")
    return workflow["metadata"]["name"], _ENDED if phase in _OVER else _THERE


class _Source:
    """A repository on the stack's Git server with a small image in it."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self._cluster = bench.cluster
        self._folder = folder
        base = bench.record.environment["PAVANE_GIT__URL"]
        self._remote = f"{base}/{tenant.ORGANIZATION}/{_COMPONENT}.git"

    async def declare(self) -> None:
        """Makes a component that deploys nothing: only its builds are measured."""
        await self._git("init", "--quiet", "--initial-branch=main")
        (self._folder / "Dockerfile").write_text(_DOCKERFILE)
        for resource in tenant.build_plane(), tenant.source(_COMPONENT, self._remote):
            await self._cluster.apply(resource, manager="pavane-benchmarks", force=True)

    async def commit(self, text: str) -> str:
        """Commits, pushes and returns the commit."""
        (self._folder / "text").write_text(text)
        await self._git("add", "--all")
        await self._git("commit", "--quiet", f"--message={text}")
        await self._git("push", "--quiet", self._remote, "main")
        return await self._git("rev-parse", "HEAD")

    async def _git(self, *words: str) -> str:
        return await asyncio.to_thread(_git, self._folder, words)


def _git(folder: Path, words: Sequence[str]) -> str:
    nobody = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        nobody |= {f"GIT_{role}_NAME": "Dev", f"GIT_{role}_EMAIL": "dev@example.test"}
    done = subprocess.run(
        ("git", "-C", str(folder), *words),
        env={"PATH": os.environ["PATH"], **nobody},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
