"""The supervisor process of one stack: `python -m devstack`, started by `pavane stack up` only."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from devstack import profiles
from devstack.assembly import assemble
from devstack.control import Reply, listen
from devstack.errors import DevstackError
from devstack.processes import adopt_orphans
from devstack.repair import undo_leftovers
from devstack.state import StateDir
from devstack.supervisor import Supervisor

if TYPE_CHECKING:
    from devstack.faults.desk import FaultDesk

_LOG = logging.getLogger(__name__)


def main() -> int:
    """Runs the stack until it is told to end; 1 when it could not even begin."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    adopt_orphans()
    try:
        asyncio.run(_run(_arguments()))
    except DevstackError as error:
        _LOG.error("%s", error)
        return 1
    return 0


class _Faults:
    """The desk of faults, made when the first one is asked for: most stacks never read it."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._desk: FaultDesk | None = None
        self._recovering: asyncio.Task[None] | None = None

    def desk(self) -> "FaultDesk":
        """The desk."""
        if self._desk is None:
            made = import_module("devstack.faults.desk")
            self._desk = made.FaultDesk(self._supervisor)
        return self._desk

    def recover(self) -> None:
        """Begins to undo what a supervisor before this one left behind."""
        if self._supervisor.context.state.faults.exists():
            self._recovering = asyncio.create_task(self.desk().recover())

    async def close(self) -> None:
        """Undoes what would outlive the stack."""
        if self._recovering is not None:
            self._recovering.cancel()
        if self._desk is not None:
            await self._desk.close()


async def _run(arguments: argparse.Namespace) -> None:
    state = StateDir(arguments.state)
    await undo_leftovers(arguments.name, state)
    context = assemble(arguments.name, state, arguments.profile, platform=arguments.platform)
    supervisor = Supervisor(context, os.getpid())
    faults = _Faults(supervisor)
    stopping: list[asyncio.Task[None]] = []

    async def end() -> None:
        await faults.close()
        await supervisor.stop()

    def stop() -> None:
        if not stopping:
            stopping.append(asyncio.create_task(end()))

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)

    async def grow(profile: str, platform: bool) -> None:
        grown = assemble(
            arguments.name, state, profile, platform=platform, keep=context.ports.as_dict()
        )
        await supervisor.become(grown, profiles.parts(grown), profiles.environment(grown))

    async def serve(request: Reply) -> AsyncIterator[Reply]:
        verb = str(request.get("verb"))
        if verb == "down":
            stop()
            yield {}
        elif verb == "grow":
            await grow(request["profile"], request["platform"])
            yield {}
        else:
            serving = faults.desk() if verb.startswith("fault") else supervisor
            async for reply in serving.serve(request):
                yield reply

    await supervisor.become(context, profiles.parts(context), profiles.environment(context))
    server = await listen(state.socket, serve)
    faults.recover()
    await supervisor.done.wait()
    server.close()
    state.socket.unlink(missing_ok=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devstack", description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--state", required=True, type=Path)
    parser.add_argument("--profile", required=True, choices=profiles.PROFILES)
    parser.add_argument("--platform", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
