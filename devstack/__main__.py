"""The supervisor process of one stack: `python -m devstack`, started by `pavane stack up` only."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from devstack import profiles
from devstack.assembly import assemble
from devstack.control import Reply, listen
from devstack.errors import DevstackError
from devstack.processes import adopt_orphans
from devstack.repair import undo_leftovers
from devstack.state import StateDir
from devstack.supervisor import Supervisor

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


async def _run(arguments: argparse.Namespace) -> None:
    state = StateDir(arguments.state)
    await undo_leftovers(arguments.name, state)
    context = assemble(arguments.name, state, arguments.profile, platform=arguments.platform)
    supervisor = Supervisor(context, os.getpid())
    stopping: list[asyncio.Task[None]] = []

    def stop() -> None:
        if not stopping:
            stopping.append(asyncio.create_task(supervisor.stop()))

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)

    async def grow(profile: str, platform: bool) -> None:
        grown = assemble(
            arguments.name, state, profile, platform=platform, keep=context.ports.as_dict()
        )
        await supervisor.become(grown, profiles.parts(grown), profiles.environment(grown))

    async def serve(request: Reply) -> AsyncIterator[Reply]:
        if request.get("verb") == "down":
            stop()
            yield {}
        elif request.get("verb") == "grow":
            await grow(request["profile"], request["platform"])
            yield {}
        else:
            async for reply in supervisor.serve(request):
                yield reply

    await supervisor.become(context, profiles.parts(context), profiles.environment(context))
    server = await listen(state.socket, serve)
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
