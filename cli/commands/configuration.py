"""Shows the configuration of components: what it is, where it comes from, what differs."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client import Api
from cli.console import out
from cli.errors import ExitCode
from cli.options import Organization, Output
from cli.output import Format, show_data, show_table
from cli.profile import Profile

Component = Annotated[str, typer.Argument(help="Name of the component.")]
Environment = Annotated[str, typer.Option("--environment", "-e", help="Where.")]


def effective(
    component: Component,
    environment: Environment,
    running: Annotated[
        bool, typer.Option("--running", help="As it runs, not as the groups say now.")
    ] = False,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show the configuration of a component in an environment, and where each value comes from.

    Values kept in Vault are shown by their path only. Exits with 1 when it cannot be used.
    """
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(
            f"/v1/components/{owner}/{component}/configuration",
            environment=environment,
            running=running,
        )
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
    else:
        wide = output is Format.WIDE
        show_table(
            ["key", "value", "in the pod", "from", *(["laid over"] if wide else [])],
            [
                [
                    one["key"],
                    _value(one),
                    one["file"] or one["env"],
                    _origin(one["origin"]),
                    *([", ".join(map(_origin, one["overrides"]))] if wide else []),
                ]
                for one in found["entries"]
            ],
            empty=f"{component} has no configuration in {environment}",
        )
        _problems(found["problems"])
    raise typer.Exit(ExitCode.FAILED if found["problems"] else ExitCode.DONE)


def diff(
    before: Annotated[str, typer.Argument(help="Environment.")],
    after: Annotated[
        str, typer.Argument(help="The other one. Default: what runs against what is declared.")
    ] = "",
    component: Annotated[
        str, typer.Option("--component", "-c", help="Only this one. Default: all.")
    ] = "",
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show which keys differ between two environments, or between what runs and what is declared."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(
            f"/v1/configuration/{owner}/diff", before=before, after=after, component=component
        )
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    show_table(
        ["component", "key", found["before"], found["after"]],
        [[one["component"], one["key"], one["before"], one["after"]] for one in found["items"]],
        empty="no key differs",
    )
    _problems(found["problems"])


def _problems(problems: list[str]) -> None:
    for one in problems:
        out().print(f"[bad]{escape(one)}[/bad]", soft_wrap=True)


def _value(one: dict[str, Any]) -> str:
    if one["vaultKey"]:
        return f"vault:{one['vaultKey']}"
    first, newline, _ = str(one["value"]).partition("\n")
    return f"{first} ..." if newline else first


def _origin(one: dict[str, Any]) -> str:
    where = f" for {one['saidFor']}" if one["saidFor"] else ""
    return f"{one['name']}{where}"
