"""Faults between the worker and the plane's API server, made by the gate."""

from devstack.errors import DevstackError
from devstack.faults.model import Fault, Manner, World

_MANNERS = {
    "plane-silent": (Manner.SILENT, "requests of the worker are taken and never answered"),
    "plane-slow": (Manner.SLOW, "each answer comes two seconds later"),
    "plane-busy": (Manner.BUSY, "every request is answered 429 with Retry-After"),
    "plane-conflicts": (Manner.CONFLICTING, "every change is answered 409: somebody was first"),
    "plane-broken": (Manner.BROKEN, "every request is answered 500"),
}


def faults() -> list[Fault]:
    """Every fault of the family."""
    return [
        Fault(
            name="plane-cut",
            family="plane",
            breaks="connections of the worker to the API server break, new ones are refused",
            undone="the gate listens again",
            begin=_cut,
            end=_join,
        ),
        *(_manner(name, manner, breaks) for name, (manner, breaks) in _MANNERS.items()),
        Fault(
            name="watch-expired",
            family="plane",
            breaks="every running watch of the worker ends: its version is too old (410)",
            undone="nothing is left to undo",
            begin=_expire,
        ),
    ]


async def _cut(world: World, _: str) -> None:
    await (await world.gate()).cut()


async def _join(world: World, _: str) -> None:
    await (await world.gate()).open()


async def _expire(world: World, _: str) -> None:
    if not (await world.gate()).expire_watches():
        message = "the worker watches nothing at the moment, so nothing can expire"
        raise DevstackError(message)


def _manner(name: str, manner: Manner, breaks: str) -> Fault:
    async def begin(world: World, _: str) -> None:
        (await world.gate()).misbehave(manner)

    async def end(world: World, _: str) -> None:
        (await world.gate()).behave(manner)

    return Fault(
        name=name,
        family="plane",
        breaks=breaks,
        undone="the gate passes everything on again",
        begin=begin,
        end=end,
    )
