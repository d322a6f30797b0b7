"""Keeps a version where it is, whoever asks for another one."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import Api
from cli.console import err
from cli.errors import ExitCode, Problem
from cli.options import Organization, Output
from cli.output import Format, age, show_data, show_table
from cli.profile import Profile
from cli.promotion_views import until as shown_until
from cli.times import moment_of

Component = Annotated[str, typer.Argument(help="Name of the component.")]
Environment = Annotated[str, typer.Argument(help="Name of the environment.")]


def pin(  # noqa: PLR0917 - three arguments of the command line, and its options
    component: Component = "",
    environment: Environment = "",
    artifact: Annotated[str, typer.Argument(help="Artifact. Default: what runs there.")] = "",
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it is shown and written down.")
    ] = "",
    until: Annotated[
        str, typer.Option("--until", help="When it ends by itself: 2026-12-01T08:00, 36h, 7d.")
    ] = "",
    listing: Annotated[bool, typer.Option("--list", help="Show what is pinned.")] = False,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Let nothing but one version come to an environment: neither promotions nor automation.

    Rollbacks go on; a hotfix may leave out the gate `pin` where the pipeline says so.
    """
    profile = Profile()
    owner = profile.needs_organization(organization)
    if listing:
        _list(profile, owner, output)
        return
    if not (component and environment and reason):
        raise Problem(
            "a component, an environment and a reason are needed",
            title="Wrong usage",
            advice="pavane pin COMPONENT ENVIRONMENT --reason WHY, or pavane pin --list",
            code=ExitCode.USAGE,
        )
    order = {"artifact": artifact, "reason": reason, "until": moment_of(until, "--until")}
    with Api(profile) as api:
        found = api.post(f"/v1/standings/{owner}/{component}/{environment}/pin", order)
    pinned = found["pin"]
    ends = f" until {shown_until(pinned['until'])}" if pinned["until"] else ""
    err().print(
        f"[good]✓[/good] {component} in {environment} is pinned to {pinned['artifact']}{ends}"
    )


def unpin(
    component: Component,
    environment: Environment,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is written down.")] = "",
    organization: Organization = "",
) -> None:
    """Let other versions come to an environment again, through its gates."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        order = {"pin": True, "reason": reason}
        api.post(f"/v1/standings/{owner}/{component}/{environment}/lift", order)
    err().print(f"[good]✓[/good] {component} in {environment} is pinned no more")


def _list(profile: Profile, owner: str, output: Format) -> None:
    with Api(profile) as api:
        found = api.get("/v1/standings", organization=owner)["items"]
    items = [one for one in found if one["pin"]]
    if output in {Format.JSON, Format.YAML}:
        show_data(items, output)
        return
    rows = [
        [
            one["component"],
            one["environment"],
            one["pin"]["artifact"],
            one["pin"]["reason"],
            one["pin"]["by"],
            age(one["pin"]["since"]),
            shown_until(one["pin"]["until"]),
        ]
        for one in items
    ]
    columns = ["component", "environment", "artifact", "why", "by", "since", "until"]
    show_table(columns, rows, empty="nothing is pinned")
