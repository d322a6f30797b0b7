"""A fault of a process's clock: libfaketime of Debian lies to the worker about the time of day."""

import asyncio

from devstack.faults.model import Fault, World
from devstack.programs import Program, Silent, ensure

_AHEAD, _RIGHT = "+2h", "+0"


def faults() -> list[Fault]:
    """Every fault of the family."""
    return [
        Fault(
            name="worker-clock",
            family="clock",
            breaks="the worker is started anew with a clock that is two hours ahead",
            undone="its clock jumps back to the right time, while it runs",
            begin=_ahead,
            end=_right,
        )
    ]


async def _tell(world: World, offset: str) -> dict[str, str]:
    """Sets the clock, and returns what makes a process look at it."""
    library = (await asyncio.to_thread(_library)).path
    # The library reads it again at each look at the clock.
    file = world.context.state.data / "worker-clock"
    file.write_text(offset)
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        # How long something takes is never asked of the clock on the wall.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


async def _ahead(world: World, _: str) -> None:
    worker = world.component("worker")
    worker.reconfigure(**await _tell(world, _AHEAD))
    await worker.restart()
    await worker.wait_ready()


async def _right(world: World, _: str) -> None:
    await _tell(world, _RIGHT)


def _library() -> Program:
    """Installs what lies, on first use."""
    return ensure(["libfaketime"], progress=Silent())["libfaketime"]
