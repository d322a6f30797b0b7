"""Shows freeze windows and lets something in nevertheless."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape

from cli.client import Api
from cli.console import err, out
from cli.errors import ExitCode
from cli.options import Organization, Output
from cli.output import Format, moment, show_data, show_table
from cli.profile import Profile

app = typer.Typer(
    no_args_is_help=True, help="When deployments wait: list, check, override freeze windows."
)
Environment = Annotated[str, typer.Option("--environment", "-e", help="Where.")]
Component = Annotated[
    str, typer.Option("--component", "-c", help="Of this one. Default: of everything there.")
]


@app.command("list")
def list_freezes(
    following: Annotated[str, typer.Option("--next", help="How far to look: 14d, 36h.")] = "14d",
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """List what freeze windows do in the time to come, in local time."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/freezes/{owner}", next=following)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    show_table(
        ["window", "effect", "from", "to", "state", "why"],
        [
            [
                one["window"],
                one["effect"],
                _local(one["start"]),
                _local(one["end"]),
                "active" if one["active"] else "",
                one["reason"],
            ]
            for one in found["items"]
        ],
        empty=f"no freeze window within {following}",
    )
    for name, problem in found["problems"].items():
        text = escape(f"{name} cannot be read and counts as closed: {problem}")
        err().print(f"[warn]![/warn] {text}")


@app.command()
def check(
    environment: Environment,
    component: Component = "",
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Tell whether a place is open now; the exit code is 1 when it is not."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/freezes/{owner}/check", environment=environment, component=component)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
    else:
        word = "[good]open[/good]" if found["open"] else "[bad]closed[/bad]"
        until = f" until {_local(found['until'])}" if found["until"] else ""
        lifted = f", overridden: {', '.join(found['overridden'])}" if found["overridden"] else ""
        out().print(f"{word}{until}{escape(lifted)}")
        for one in found["closedBy"]:
            who = one["overrideBy"]
            out().print(escape(f"  {one['window']}: {one['reason']} (override: {who})"))
    raise typer.Exit(ExitCode.DONE if found["open"] else ExitCode.FAILED)


@app.command()
def override(  # noqa: PLR0917 - typer calls by name
    window: Annotated[str, typer.Argument(metavar="WINDOW", help="As `freeze list` shows it.")],
    environment: Environment,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is written down.")],
    component: Component = "",
    duration: Annotated[str, typer.Option("--for", help="How long, at most 24h.")] = "1h",
    organization: Organization = "",
) -> None:
    """Let something in although the window is closed; what waits goes on at once."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    body = {
        "environment": environment,
        "component": component,
        "reason": reason,
        "duration": duration,
    }
    with Api(profile) as api:
        found = api.post(f"/v1/freezes/{owner}/{window}/override", body)
    what = component or "everything"
    err().print(f"[good]✓[/good] {escape(f'{what} may go to {environment} for {duration}')}")
    if not found["open"]:
        others = ", ".join(one["window"] for one in found["closedBy"])
        err().print(f"[warn]![/warn] still closed by {escape(others)}")


def _local(text: str | None) -> str:
    then: datetime | None = moment(text)
    return f"{then.astimezone():%a %Y-%m-%d %H:%M}" if then else ""
