"""Faults of the world, begun on purpose on a stack of one's own: how a person or a test asks.

Only the supervisor causes and undoes faults (`desk.py`); what there is to cause is in
`catalogue.py`.
"""

from typing import Any

from devstack import control
from devstack.errors import DevstackError
from devstack.faults.model import ActiveFault
from devstack.state import StateDir

__all__ = ["active", "begin", "end", "end_all", "prepare"]


async def begin(state: StateDir, name: str, target: str = "", seconds: float = 0) -> None:
    """Begins a fault; it ends by itself after `seconds`, however the asking side ends.

    Zero seconds = until it is ended, or the stack goes down. A fault that is active already goes
    on, with the new end.

    Raises:
        NotRunning: the stack is down.
        DevstackError: there is no such fault, or it cannot be caused here.
    """
    await _ask(state, "fault-begin", name=name, target=target, seconds=seconds)


async def end(state: StateDir, name: str, target: str = "") -> None:
    """Ends a fault and returns when what it broke is whole again; raises as `begin` does."""
    await _ask(state, "fault-end", name=name, target=target)


async def end_all(state: StateDir) -> None:
    """Ends every fault; raises as `begin` does."""
    await _ask(state, "fault-end-all")


async def prepare(state: StateDir) -> None:
    """Puts the gate between the worker and the API server, for which the worker is restarted.

    The first fault that needs the gate does the same; whoever measures wants it done before.
    """
    await _ask(state, "fault-prepare")


async def active(state: StateDir) -> list[ActiveFault]:
    """The faults that are active now."""
    reply = await _ask(state, "faults")
    return [ActiveFault(**one) for one in reply["faults"]]


async def _ask(state: StateDir, verb: str, **more: Any) -> dict[str, Any]:
    reply = await control.ask_once(state.socket, {"verb": verb, **more})
    if not reply:
        message = "the supervisor ended before it answered; see `pavane stack status`"
        raise DevstackError(message)
    return reply
