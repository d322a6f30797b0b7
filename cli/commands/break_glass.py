"""Asks for a role for a while, and shows who has one."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import Api
from cli.console import err
from cli.errors import ExitCode, Problem
from cli.options import Organization, Output
from cli.output import Format, show_data, show_table
from cli.profile import Profile
from cli.promotion_views import until


def break_glass(  # noqa: PLR0917 - typer calls by name
    environment: Annotated[str, typer.Argument(help="Where it is needed.")] = "",
    role: Annotated[str, typer.Option("--role", help="admin, developer or viewer.")] = "admin",
    reason: Annotated[
        str, typer.Option("--reason", "-r", help="Why; it is shown and written down.")
    ] = "",
    duration: Annotated[str, typer.Option("--for", help="How long, such as 30m.")] = "1h",
    project: Annotated[str, typer.Option("--project", help="Only in this one.")] = "",
    listing: Annotated[bool, typer.Option("--list", help="Show who has what.")] = False,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Ask for a role in one environment for a while; others must agree.

    Whom spec.breakGlass of the Organization names finds it with `pavane approvals list`. It ends by
    itself; you or an administrator end it sooner with `pavane operations cancel`.
    """
    profile = Profile()
    owner = profile.needs_organization(organization)
    if listing:
        _list(profile, owner, output)
        return
    if not (environment and reason.strip()):
        raise Problem(
            "an environment and a reason are needed",
            title="Wrong usage",
            advice="pavane break-glass ENVIRONMENT --reason WHY, or pavane break-glass --list",
            code=ExitCode.USAGE,
        )
    order = {
        "environment": environment,
        "role": role,
        "reason": reason,
        "duration": duration,
        "project": project,
    }
    with Api(profile) as api:
        found = api.post(f"/v1/break-glass/{owner}", order)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    where = f"{environment} of project {project}" if project else environment
    err().print(f"[good]✓[/good] asked for: role {role} in {where} for {duration}")
    err().print(
        f"[quiet]others must agree (pavane approvals list); follow it with "
        f"pavane operations watch {found['id']}[/quiet]",
        soft_wrap=True,
    )


def _list(profile: Profile, owner: str, output: Format) -> None:
    with Api(profile) as api:
        found = api.get(f"/v1/break-glass/{owner}")["items"]
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    rows = [
        [
            one["user"],
            one["role"],
            one["environment"],
            one["project"],
            one["reason"],
            ", ".join(one["approvedBy"]),
            until(one["until"]),
        ]
        for one in found
    ]
    columns = ["who", "role", "environment", "project", "why", "agreed", "until"]
    show_table(columns, rows, empty="nobody has a role for a while")
