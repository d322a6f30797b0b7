"""What the commands of `pavane stack` share: which stack is meant, and how errors are told."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from devstack import lifecycle
from devstack.errors import DevstackError, NotRunning
from devstack.record import StackRecord
from devstack.state import StateDir, state_dir

Name = Annotated[
    str,
    typer.Option("--name", envvar="PAVANE_STACK", help="Name of the stack, for several at once."),
]
_err = Console(stderr=True, highlight=False)
_Result = TypeVar("_Result")


def state_of(name: str) -> StateDir:
    """Returns the folder of a stack; a name that cannot be one ends the command."""
    try:
        return state_dir(name)
    except DevstackError as error:
        fail(str(error))


def record_of(state: StateDir) -> StackRecord:
    """Returns the record of a running stack; one that does not run ends the command."""
    record = lifecycle.running(state)
    if record is None:
        name = state.root.name
        told = f"stack {name} is not running; start it: pavane stack up --name {name}"
        fail(str(NotRunning(told)))
    return record


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Does the work; an error of the stack becomes a sentence and exit status 1.

    Being told to end is the same as Ctrl-C: builds that were started are ended too.
    """
    # Not by way of SIGINT: what runs in the background of a shell ignores that.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return asyncio.run(work)
    except DevstackError as error:
        fail(str(error))
    except KeyboardInterrupt:
        _err.print("interrupted; what was started goes on, `pavane stack up` shows it again")
        raise typer.Exit(130) from None


def fail(message: str) -> NoReturn:
    """Ends the command with a message."""
    # As it is: brackets are no markup, and a command to copy is not broken into lines.
    _err.print(Text.assemble(("error:", "red"), f" {message}"), soft_wrap=True)
    raise typer.Exit(1)
