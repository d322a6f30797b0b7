"""Shows who calls whom, who may, by which rule, and who breaks when a component is removed."""

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

app = typer.Typer(no_args_is_help=True, help="Who may call whom: can, graph, matrix.")
Environment = Annotated[str, typer.Option("--environment", "-e", help="Where.")]
Declared = Annotated[bool, typer.Option("--declared", help="By what is declared, whatever runs.")]


@app.command()
def can(  # noqa: PLR0917 - typer calls by name
    source: Annotated[str, typer.Argument(help="Component that calls.")],
    target: Annotated[str, typer.Argument(help="Component, host name or address.")],
    environment: Environment,
    port: Annotated[int, typer.Argument(help="Port. 0 = every endpoint.", min=0, max=65535)] = 0,
    method: Annotated[str, typer.Option("--method", help="HTTP method of the request.")] = "",
    path: Annotated[str, typer.Option("--path", help="Path of the request.")] = "",
    declared: Declared = False,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Tell whether one may call another, by which rule. Exits with 1 when it may not."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(
            f"/v1/network/{owner}/can",
            source=source,
            target=target,
            environment=environment,
            port=port,
            method=method,
            requestPath=path,
            declared=declared,
        )["items"]
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
    else:
        for one in found:
            _show_call(one)
        if not found:
            out().print(f"[warn]no[/warn]  {escape(target)} has no endpoint: name a port")
    allowed = bool(found) and any(one["allowed"] for one in found)
    raise typer.Exit(ExitCode.DONE if allowed else ExitCode.FAILED)


def _show_call(one: dict[str, Any]) -> None:
    mark = "[good]yes[/good]" if one["allowed"] else "[bad]no[/bad] "
    where = f"{one['target']}.{one['endpoint']}" if one["endpoint"] else one["target"]
    basis = "" if one["basis"] == "running" else " [quiet](as declared; it does not run)[/quiet]"
    out().print(
        f"{mark} {escape(one['source'])} → {escape(where)}:{one['port']}{basis}", soft_wrap=True
    )
    for reason in one["reasons"]:
        out().print(f"    {escape(reason)}", soft_wrap=True)
    if one["hint"]:
        out().print(f"    [name]{escape(one['hint'])}[/name]", soft_wrap=True)


@app.command()
def graph(
    project: Annotated[str, typer.Argument(help="Project. Empty = all that you see.")] = "",
    without: Annotated[
        str, typer.Option("--without", help="Only who breaks when this component is removed.")
    ] = "",
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show who calls whom, cycles, and how many need each component."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/network/{owner}/graph", project=project)
    if without:
        _broken(found, without, output)
        return
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    show_table(
        ["component", "project", "endpoints", "calls", "called by", "needed by"],
        [
            [
                one["component"],
                one["project"],
                ", ".join(one["endpoints"]),
                ", ".join(one["calls"]),
                ", ".join(one["calledBy"]),
                str(len(one["brokenWithout"])),
            ]
            for one in found["components"]
        ],
        empty="there is no component",
    )
    for one in found["connections"]:
        if one["state"] != "Found":
            told = f"{one['connection']}: {one['message']}"
            out().print(f"[warn]{one['state']}[/warn] {escape(told)}", soft_wrap=True)
    for cycle in found["cycles"]:
        chain = " → ".join((*cycle, cycle[0]))
        out().print(f"[warn]need each other[/warn] {escape(chain)}", soft_wrap=True)


def _broken(found: dict[str, Any], name: str, output: Format) -> None:
    nodes = {one["component"]: one for one in found["components"]}
    broken = nodes.get(name, {}).get("brokenWithout", [])
    if output in {Format.JSON, Format.YAML}:
        show_data(broken, output)
        return
    show_table(
        ["component", "calls it"],
        [[one, "itself" if name in nodes[one]["calls"] else "by way of others"] for one in broken],
        empty=f"nobody needs {name}",
    )


@app.command()
def matrix(  # noqa: PLR0917 - typer calls by name
    environment: Environment,
    project: Annotated[str, typer.Argument(help="Project. Empty = all that you see.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Also pairs that may not talk.")] = False,
    declared: Declared = False,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """List which component may call which; with -o json for auditors, with the rules."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(
            f"/v1/network/{owner}/matrix",
            environment=environment,
            project=project,
            all=every,
            declared=declared,
        )
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    show_table(
        ["from", "to", "port", "allowed", "basis"],
        [
            [
                one["source"],
                f"{one['target']}.{one['endpoint']}",
                str(one["port"]),
                "yes" if one["allowed"] else "no",
                one["basis"],
            ]
            for one in found["items"]
        ],
        empty="nobody may call anybody",
    )
