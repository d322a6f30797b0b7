"""`pavane stack`: the complete real stack on this machine."""

import asyncio
import sys
import time
from collections import deque
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli import output
from cli.stack_faults import fault_app
from cli.stack_running import Name
from cli.stack_running import fail as _fail
from cli.stack_running import record_of as _running
from cli.stack_running import run as _run
from cli.stack_running import state_of as _state
from cli.stack_views import Progress, as_environment, show_status
from devstack import lifecycle, preflight
from devstack.core import openbao, people
from devstack.enforced import enforcement
from devstack.errors import DevstackError
from devstack.lifecycle import Wish
from devstack.programs import PROFILES, ensure, index, reporter
from devstack.state import locked

stack_app = typer.Typer(
    name="stack",
    help="Run a complete real platform on this machine: Kubernetes, Temporal, OpenBao and more.",
    no_args_is_help=True,
)
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)
stack_app.add_typer(fault_app)


class Profile(StrEnum):
    """How much of a platform the stack has."""

    CORE = "core"
    HA = "ha"
    FULL = "full"


class Format(StrEnum):
    """How the environment is written."""

    SH = "sh"
    JSON = "json"
    DOTENV = "dotenv"


PROFILE_HELP = (
    "core: control plane, Temporal, OpenBao; no root. full: also a node that runs pods. ha: core "
    "with Temporal as services on PostgreSQL, two APIs and two workers."
)
PLATFORM_HELP = "Run Pavane's API and worker too. Default: with full and ha, not with core."


@stack_app.command()
def up(
    name: Name = "default",
    profile: Annotated[Profile, typer.Option(help=PROFILE_HELP)] = Profile.FULL,
    platform: Annotated[bool | None, typer.Option(help=PLATFORM_HELP)] = None,
) -> None:
    """Bring the stack up and wait until it is ready. Safe to repeat; grows from core to full."""
    wish = Wish(name, profile, profile is not Profile.CORE if platform is None else platform)
    _run(_up(wish))


@stack_app.command()
def status(
    name: Name = "default",
    form: Annotated[output.Format, typer.Option("-o", "--output")] = output.Format.TABLE,
    show_passwords: Annotated[
        bool, typer.Option(help="Show the passwords of the stack's people.")
    ] = False,
) -> None:
    """Show every part of the stack. Exit status 1 when it is not up and ready."""
    state = _state(name)
    record = lifecycle.running(state)
    passwords = people.passwords(state) if show_passwords else {}
    if form in {output.Format.JSON, output.Format.YAML}:
        stopped: dict[str, Any] = {"name": name, "running": False, "root": str(state.root)}
        shown = record.to_json() | {"running": True} if record else stopped
        shown["ready"] = record is not None and record.is_ready
        if record is not None and show_passwords:
            shown["passwords"] = passwords
        output.show_data(shown, form)
    else:
        show_status(_out, name, state, record)
        for user, password in passwords.items():
            typer.echo(f"{f'Login {user}':<12} {password}")
    if record is None or not record.is_ready:
        raise typer.Exit(1)


@stack_app.command()
def logs(
    component: Annotated[str, typer.Argument(help="A name from `pavane stack status`.")],
    name: Name = "default",
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Go on as lines are written.")
    ] = False,
    tail: Annotated[int, typer.Option(min=0, help="How many of the last lines to show.")] = 50,
) -> None:
    """Show what one component of the stack wrote."""
    state = _state(name)
    log = state.log(component)
    if not log.exists() or log.parent != state.logs:
        known = ", ".join(sorted(path.stem for path in state.logs.glob("*.log")))
        _fail(
            f"there is no log of {component!r}; there is {known or 'none: the stack was never up'}"
        )
    with log.open(errors="replace") as lines:
        for line in deque(lines, maxlen=tail):
            typer.echo(line, nl=False)
        while follow:
            for line in lines:
                typer.echo(line, nl=False)
            time.sleep(0.2)


@stack_app.command()
def env(
    name: Name = "default",
    output: Annotated[Format, typer.Option("-o", "--output")] = Format.SH,
    secrets: Annotated[bool, typer.Option(help="Add the OpenBao root token.")] = False,
) -> None:
    """Print the variables that connect programs to the stack: eval "$(pavane stack env)"."""
    state = _state(name)
    record = _running(state)
    variables = dict(record.environment)
    if secrets:
        variables["VAULT_TOKEN"] = openbao.root_token(state)
    typer.echo(as_environment(variables, output), nl=False)


@stack_app.command()
def down(name: Name = "default") -> None:
    """Take the stack down; nothing of it stays but its data."""
    state = _state(name)
    if _run(lifecycle.end(name, state)):
        _err.print(f"stack {name} is down; its data stay in {state.data}")
    else:
        _err.print(f"stack {name} is not running")


@stack_app.command()
def reset(
    name: Name = "default",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take the stack down and delete all its data."""
    state = _state(name)
    if not state.root.exists():
        _err.print(f"stack {name} has no data")
        return
    if not yes:
        if not sys.stdin.isatty():
            _fail("reset deletes all data of the stack; say --yes when nobody can be asked")
        typer.confirm(f"Delete all data of stack {name} in {state.root}?", abort=True)
    _run(lifecycle.end(name, state))
    try:
        with locked(state):
            state.delete()
    except (DevstackError, OSError) as error:
        _fail(str(error))
    _err.print(f"stack {name} is gone")


@stack_app.command()
def build(
    profile: Annotated[Profile, typer.Option(help=PROFILE_HELP)] = Profile.FULL,
) -> None:
    """Acquire every program the stack runs, without starting anything."""
    _acquire(profile)


@stack_app.command()
def restart(component: str, name: Name = "default") -> None:
    """Restart one component in order."""
    _run(lifecycle.steer(_state(name), "restart", component))


@stack_app.command()
def kill(component: str, name: Name = "default") -> None:
    """Kill one component as a fault would; the supervisor starts it again."""
    _run(lifecycle.steer(_state(name), "kill", component))


@stack_app.command()
def stop(component: str, name: Name = "default") -> None:
    """Stop one component and keep it down until `pavane stack start`."""
    _run(lifecycle.steer(_state(name), "stop", component))


@stack_app.command()
def start(component: str, name: Name = "default") -> None:
    """Start a component that was stopped or given up."""
    _run(lifecycle.steer(_state(name), "start", component))


async def _up(wish: Wish) -> None:
    record = lifecycle.running(wish.state)
    wanted = wish if record is None else wish.grown_from(record)
    if record is None or record.profile != wanted.profile:
        preflight.check(wanted.profile, wish.state)  # what runs already has what it needs
    programs = await asyncio.to_thread(_acquire, Profile(wanted.profile))
    began = time.monotonic()
    if not await lifecycle.begin(wanted, programs):
        _err.print(f"stack {wish.name} is running and ready")
        return
    with Progress(_err) as progress:
        async for change in lifecycle.follow(wish.state):
            progress.show(change)
    seconds = time.monotonic() - began
    _err.print(f"stack {wish.name} ({wanted.profile}) is ready after {seconds:.1f} s")
    if wanted.profile == Profile.FULL and (told := enforcement(wish.state)):
        _err.print(f"  network policies are {told}")
    _err.print(f'  eval "$(pavane stack env --name {wish.name})"   connects programs to it')


def _acquire(profile: Profile) -> dict[str, Path]:
    try:
        with reporter() as progress:
            return index(ensure(PROFILES[profile], progress=progress))
    except DevstackError as error:
        _fail(str(error))
