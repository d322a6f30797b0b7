"""Pavane's own processes as parts of the stack: the kinds, the API and one worker."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from devstack.component import Component, HttpProbe, Part, Step
from devstack.context import StackContext
from devstack.platform_rights import identity, rights
from devstack.services.cluster import connect, read_manifests

ROOT = Path(__file__).parent.parent
CRDS = sorted((ROOT / "crds").glob("*.yaml"))
_LOOPBACK = "127.0.0.1"


def parts(
    context: StackContext, environment: dict[str, str], needs: Sequence[str]
) -> Sequence[Part]:
    """The platform, started when the stack below it is ready."""

    async def install_kinds() -> None:
        kinds = [kind for file in CRDS for kind in read_manifests(file)]
        async with connect(context) as cluster:
            await cluster.apply(kinds)
            async with asyncio.TaskGroup() as group:
                for kind in kinds:
                    group.create_task(cluster.wait_for_condition(kind, "Established"))

    async def grant() -> None:
        namespace, *others = rights()
        async with connect(context) as cluster:
            await cluster.apply([namespace])
            await cluster.apply(others)

    return [
        Step(name="crds", run=install_kinds, needs=("kube-apiserver",)),
        Step(name="platform-rights", run=grant, needs=("kube-apiserver",)),
        *(
            one
            for number in range(1, 3 if context.is_ha else 2)
            for one in _processes(context, environment, ("crds", "platform-rights", *needs), number)
        ),
    ]


def _processes(
    context: StackContext, environment: dict[str, str], needs: tuple[str, ...], number: int
) -> list[Component]:
    """One API and one worker. Those after the first differ in where they listen."""
    suffix = "" if number == 1 else f"-{number}"
    api, worker = (f"{name}{suffix}" for name in ("api", "worker"))
    variables = {
        **environment,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PAVANE_API__LISTEN": f"{_LOOPBACK}:{context.ports[api]}",
        "PAVANE_WORKER__LISTEN": f"{_LOOPBACK}:{context.ports[worker]}",
    }
    return [
        Component(
            name=api,
            argv=(sys.executable, "-m", "api.main"),
            env=variables | identity(context, "api"),
            cwd=ROOT,
            needs=needs,
            ready=HttpProbe(f"http://{_LOOPBACK}:{context.ports[api]}/readyz"),
            stop_timeout=timedelta(seconds=15),
        ),
        Component(
            name=worker,
            argv=(sys.executable, "-m", "worker"),
            env=variables | identity(context, "worker"),
            cwd=ROOT,
            needs=needs,
            ready=HttpProbe(f"http://{_LOOPBACK}:{context.ports[worker]}/readyz"),
            stop_timeout=timedelta(seconds=30),
        ),
    ]
