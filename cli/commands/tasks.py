"""Runs scheduled tasks now and lists their runs."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import Api
from cli.console import out
from cli.options import Organization, Output, Wait
from cli.output import Format, age, between, show_data, show_table
from cli.profile import Profile
from cli.watching import conclude, watch

app = typer.Typer(no_args_is_help=True, help="Scheduled tasks: run, runs.")
Component = Annotated[str, typer.Argument(help="Name of the scheduled task.")]
Environment = Annotated[str, typer.Option("--environment", "-e", help="Where it is deployed.")]


@app.command()
def run(
    component: Component,
    environment: Environment,
    organization: Organization = "",
    wait: Wait = True,
) -> None:
    """Run a task once, now. Its timetable stays as it is."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        accepted = api.post(f"/v1/tasks/{owner}/{component}/runs", {"environment": environment})
        if not wait:
            out().print(accepted["id"], soft_wrap=True)
            return
        code = conclude(watch(api, accepted["id"]))
    raise typer.Exit(code)


@app.command()
def runs(
    component: Component,
    environment: Environment,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """List the runs of a task that the plane still has."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/tasks/{owner}/{component}/runs", environment=environment)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    suspended = "  [warn]suspended[/warn]" if found["suspended"] else ""
    when = f"{found['schedule']} {found['timeZone']}".strip() or "not deployed"
    out().print(f"[name]{component}[/name] in {environment}  [quiet]{when}[/quiet]{suspended}")
    show_table(
        ["run", "state", "begun by", "age", "took", "message"],
        [
            [
                one["name"],
                one["state"],
                "person" if one["manual"] else "timetable",
                age(one["started"]),
                between(one["started"], one["finished"]),
                one["message"],
            ]
            for one in found["items"]
        ],
        empty="it has not run",
    )
