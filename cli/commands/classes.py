"""Lists who follows a class, plans what an upgrade would change, upgrades them."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client import Api
from cli.console import out
from cli.options import Organization, Output, Wait
from cli.output import Format, show_changes, show_data, show_table
from cli.profile import Profile
from cli.watching import conclude, watch

app = typer.Typer(no_args_is_help=True, help="Who follows a class: consumers, plan, upgrade.")
Kind = Annotated[str, typer.Argument(help="Kind of class, such as serviceclass.")]
Name = Annotated[str, typer.Argument(help="Name of the class.")]


@app.command("consumers")
def class_consumers(
    kind: Kind, name: Name, organization: Organization = "", output: Output = Format.TABLE
) -> None:
    """List the bindings that follow a class, with the revision each runs with."""
    found = _consumers(kind, name, organization, plan=False)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    out().print(f"[quiet]present revision[/quiet] {found['revision']}")
    show_table(
        ["binding", "component", "environment", "revision", "state"],
        [
            [one["binding"], one["component"], one["environment"], one["revision"], _state(one)]
            for one in found["items"]
        ],
        empty="nobody follows it",
    )


@app.command("plan")
def class_plan(
    kind: Kind, name: Name, organization: Organization = "", output: Output = Format.TABLE
) -> None:
    """Show what an upgrade would change, by component and field. Nothing is written."""
    found = _consumers(kind, name, organization, plan=True)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    waiting = [one for one in found["items"] if one["needs"]]
    for one in waiting:
        out().print(f"[name]{one['component']}[/name] in {one['environment']}")
        if one["problem"]:
            out().print(
                f"  [bad]cannot be rendered[/bad]: {escape(one['problem'])}", soft_wrap=True
            )
        else:
            show_changes(one["changes"], "  no object changes")
    out().print(f"[quiet]{len(waiting)} of {len(found['items'])} would be deployed[/quiet]")


@app.command("upgrade")
def class_upgrade(
    kind: Kind, name: Name, organization: Organization = "", wait: Wait = True
) -> None:
    """Bring all that follow a class to its present content, in the waves of its policy."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        accepted = api.post(f"/v1/classes/{owner}/{kind}/{name}/upgrades", {})
        if not wait:
            out().print(accepted["id"], soft_wrap=True)
            return
        code = conclude(watch(api, accepted["id"]))
    raise typer.Exit(code)


def _consumers(kind: str, name: str, organization: str, *, plan: bool) -> dict[str, Any]:
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found: dict[str, Any] = api.get(f"/v1/classes/{owner}/{kind}/{name}/consumers", plan=plan)
    return found


def _state(one: dict[str, Any]) -> str:
    if one["held"]:
        return f"held at {one['held']}"
    if one["needs"]:
        return "needs an upgrade"
    return "current" if one["revision"] else "does not run"
