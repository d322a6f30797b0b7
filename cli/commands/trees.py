"""Shows the objects of a component on its plane as a tree, and how each one is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.text import Text
from rich.tree import Tree

from cli.client import Api
from cli.console import out
from cli.errors import ExitCode, Problem
from cli.options import Organization, Output
from cli.output import Format, show_data, styled
from cli.profile import Profile

_BAD = {"Degraded", "Missing"}


def tree(
    component: Annotated[str, typer.Argument(help="Name of the component.")],
    environment: Annotated[
        str, typer.Argument(help="Where. Default: everywhere it is deployed.")
    ] = "",
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it again after each change.")
    ] = False,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show the objects of a component and how each one is. Exits with 1 when one is not well.

    The objects of the release that runs, with the ReplicaSets, Jobs and pods that came of them.
    """
    profile = Profile()
    owner = profile.needs_organization(organization)
    path = f"/v1/components/{owner}/{component}"
    with Api(profile) as api:
        if watch:
            if not environment:
                raise Problem(
                    "one environment can be followed at a time",
                    title="Which environment?",
                    advice=f"Give it: pavane tree {component} ENVIRONMENT --watch",
                    code=ExitCode.USAGE,
                )
            _follow(api.changes(f"{path}/tree/events", "tree", environment=environment), output)
            return
        places = [environment] if environment else _places(api.get(f"{path}/status"))
        found = [api.get(f"{path}/tree", environment=place) for place in places]
    _show(found, output)
    if not found:
        out().print(f"[quiet]{escape(component)} is deployed nowhere[/quiet]")
    raise typer.Exit(
        ExitCode.FAILED if any(one["health"] in _BAD for one in found) else ExitCode.DONE
    )


def _places(status: Mapping[str, Any]) -> list[str]:
    return [one["environment"] for one in status["environments"] if one["version"]]


def _show(found: Sequence[Mapping[str, Any]], output: Format) -> None:
    if output in {Format.JSON, Format.YAML}:
        show_data(list(found), output)
        return
    for one in found:
        out().print(_picture(one, wide=output is Format.WIDE), soft_wrap=True)


def _follow(changes: Iterator[dict[str, Any]], output: Format) -> None:
    """Redraws the tree in place, or writes it anew each time where nobody looks."""
    console = out()
    if output in {Format.JSON, Format.YAML} or not console.is_terminal:
        for one in changes:
            _show([one], output)
        return
    with Live(console=console, auto_refresh=False) as live:
        for one in changes:
            live.update(_picture(one, wide=output is Format.WIDE), refresh=True)


def _picture(found: Mapping[str, Any], *, wide: bool) -> RenderableType:
    name = Text.assemble((found["component"], "name"), f" in {found['environment']}  ")
    name.append_text(styled(found["health"]))
    if found["health"] != "Healthy" or not found["nodes"]:
        name.append(f"  {found['message']}")
    root = Tree(name, guide_style="quiet")
    if found["release"]:
        told = f"Release {found['release']}"
        if wide:
            told += f"  on plane {found['plane']}, namespace {found['namespace']}, {found['state']}"
        branches = {"": root.add(Text(told, style="quiet"))}
        for node in found["nodes"]:
            # Who owns a pod may have been left out of a large tree.
            above = branches.get(node["parent"], branches[""])
            branches[node["id"]] = above.add(_line(node, wide=wide))
    if found["leftOut"]:
        return Group(root, Text(f"and {found['leftOut']} more that are well", style="quiet"))
    return root


def _line(node: Mapping[str, Any], *, wide: bool) -> Text:
    line = Text.assemble((node["kind"], "quiet"), f" {node['name']}  ")
    line.append_text(styled(node["health"]))
    line.append(f"  {node['reason']}")
    if node["message"] and (wide or node["health"] != "Healthy" or node["kind"] != "Pod"):
        line.append(f"  {node['message']}", style="quiet")
    return line
