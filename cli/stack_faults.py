"""`pavane stack fault`: breaks a local stack on purpose, to see what the platform does then."""

from __future__ import annotations

import re
import time
from typing import Annotated

import typer
from rich.console import Console

from cli.stack_running import Name, fail, record_of, run, state_of
from devstack import faults
from devstack.faults.catalogue import LEFT_OUT, catalogue
from devstack.faults.model import ActiveFault

fault_app = typer.Typer(
    name="fault",
    help="Break a local stack on purpose (development only), to see what the platform does then.",
    no_args_is_help=True,
)
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)
_DURATION = re.compile(r"(\d+)(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}

FaultName = Annotated[str, typer.Argument(help="A name from `pavane stack fault list`.")]
Target = Annotated[str, typer.Option("--on", help="What to break, for faults that take it.")]


@fault_app.command("list")
def list_faults(name: Name = "default") -> None:
    """List every fault there is, what it breaks, how it is undone, and which are active now."""
    state = state_of(name)
    active = run(faults.active(state)) if state.socket.exists() else []
    for one in catalogue().values():
        title = f"{one.name} --on TARGET" if one.target else one.name
        _out.print(f"[bold]{title}[/bold] ({one.profile})", soft_wrap=True)
        _out.print(f"    {one.breaks}; afterwards {one.undone}", soft_wrap=True)
        for found in active:
            if found.name == one.name:
                _out.print(f"    [red]{_left(found)}[/red]", soft_wrap=True)
    for fault, why in LEFT_OUT.items():
        _out.print(f"not made: {fault}: {why}", style="dim", soft_wrap=True)


@fault_app.command()
def start(
    fault: FaultName,
    name: Name = "default",
    on: Target = "",
    lasting: Annotated[
        str, typer.Option("--for", help="How long, as 30s or 5m. Default: until it is stopped.")
    ] = "",
) -> None:
    """Begin a fault. It ends after --for, at `stop`, or when the stack goes down."""
    state, seconds = state_of(name), _seconds(lasting)
    record_of(state)
    run(faults.begin(state, fault, on, seconds))
    if catalogue()[fault].is_momentary:
        _err.print(f"{fault} has happened")
    elif seconds:
        _err.print(f"{fault} lasts {lasting}")
    else:
        _err.print(f"{fault} lasts until `pavane stack fault stop {fault} --name {name}`")


@fault_app.command()
def stop(
    fault: Annotated[str, typer.Argument(help="The fault to end.")] = "",
    name: Name = "default",
    on: Target = "",
    everything: Annotated[bool, typer.Option("--all", help="End every fault.")] = False,
) -> None:
    """End a fault and wait until what it broke is whole again."""
    state = state_of(name)
    if everything == bool(fault):
        fail("name a fault, or say --all")
    record_of(state)
    run(faults.end_all(state) if everything else faults.end(state, fault, on))
    _err.print("no fault is active" if everything else f"{fault} is over")


@fault_app.command()
def prepare(name: Name = "default") -> None:
    """Put the gate between worker and API server now; otherwise the first `plane-` fault does."""
    state = state_of(name)
    record_of(state)
    run(faults.prepare(state))
    _err.print("the worker reaches the API server through the gate, until the stack goes down")


def _seconds(text: str) -> float:
    if not text:
        return 0
    found = _DURATION.fullmatch(text)
    if found is None or found[1].strip("0") == "":
        fail(f"--for {text} is no duration; say 30s, 5m or 1h")
    return float(found[1]) * _SECONDS[found[2]]


def _left(active: ActiveFault) -> str:
    where = f" on {active.target}" if active.target else ""
    left = "" if active.until is None else f", {max(active.until - time.time(), 0):.0f} s left"
    return f"active{where}{left}"
