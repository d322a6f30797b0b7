"""What is kept away from an environment: holds and vetoes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.client import Api
from cli.console import err
from cli.options import Organization, Output
from cli.output import Format, age, show_data, show_table
from cli.profile import Profile

Component = Annotated[str, typer.Argument(help="Name of the component.")]
Environment = Annotated[str, typer.Argument(help="Name of the environment.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is written down.")]

hold_app = typer.Typer(no_args_is_help=True, help="Keep automation away: list, place, lift.")
veto_app = typer.Typer(no_args_is_help=True, help="Artifacts that must not come: list, lift.")


@hold_app.command("list")
def list_holds(organization: Organization = "", output: Output = Format.TABLE) -> None:
    """List places where nothing comes by itself."""
    items = [one for one in _standings(organization) if one["hold"]]
    if output in {Format.JSON, Format.YAML}:
        show_data(items, output)
        return
    rows = [
        [
            one["component"],
            one["environment"],
            one["hold"]["reason"],
            one["hold"]["by"] or "the platform",
            age(one["hold"]["since"]),
        ]
        for one in items
    ]
    columns = ["component", "environment", "why", "by", "since"]
    show_table(columns, rows, empty="nothing is held")


@hold_app.command("place")
def place_hold(
    component: Component,
    environment: Environment,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is shown and written down.")],
    organization: Organization = "",
) -> None:
    """Keep automation away from a component in an environment."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        path = f"/v1/standings/{owner}/{component}/{environment}/hold"
        api.post(path, {"reason": reason})
    err().print(f"[good]✓[/good] {component} in {environment} is held")


@hold_app.command("lift")
def lift_hold(
    component: Component,
    environment: Environment,
    reason: Why = "",
    organization: Organization = "",
) -> None:
    """Let automation come to a component in an environment again."""
    _lift(component, environment, organization, {"hold": True, "reason": reason})
    err().print(f"[good]✓[/good] {component} in {environment} is held no more")


@veto_app.command("list")
def list_vetoes(organization: Organization = "", output: Output = Format.TABLE) -> None:
    """List artifacts that must not come to an environment."""
    items = [(one, veto) for one in _standings(organization) for veto in one["vetoes"]]
    if output in {Format.JSON, Format.YAML}:
        places = ("component", "environment")
        show_data([{**{key: one[key] for key in places}, **veto} for one, veto in items], output)
        return
    rows = [
        [
            one["component"],
            one["environment"],
            veto["artifact"],
            veto["reason"],
            veto["by"] or "the platform",
            age(veto["since"]),
        ]
        for one, veto in items
    ]
    columns = ["component", "environment", "artifact", "why", "by", "since"]
    show_table(columns, rows, empty="nothing is vetoed")


@veto_app.command("lift")
def lift_veto(
    component: Component,
    environment: Environment,
    artifact: Annotated[
        str, typer.Argument(help="Artifact. Default: every one that is vetoed there.")
    ] = "",
    reason: Why = "",
    organization: Organization = "",
) -> None:
    """Let an artifact come to an environment again; it goes through the gates anew."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    names = [artifact]
    if not artifact:
        with Api(profile) as api:
            found = api.get(f"/v1/standings/{owner}/{component}/{environment}")
        names = [veto["artifact"] for veto in found["vetoes"]]
    for name in names:
        _lift(component, environment, organization, {"veto": name, "reason": reason})
        err().print(f"[good]✓[/good] {name} may come to {environment} again")
    if not names:
        err().print(f"nothing is vetoed for {component} in {environment}")


def _lift(component: str, environment: str, organization: str, what: dict[str, Any]) -> None:
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        api.post(f"/v1/standings/{owner}/{component}/{environment}/lift", what)


def _standings(organization: str) -> list[dict[str, Any]]:
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        items: list[dict[str, Any]] = api.get("/v1/standings", organization=owner)["items"]
    return items
