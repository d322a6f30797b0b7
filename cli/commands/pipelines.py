"""Draws the way of a component through the environments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.console import out
from cli.options import Organization, Output
from cli.output import Format, age, show_data
from cli.profile import Profile

Component = Annotated[str, typer.Argument(help="Name of the component.")]

pipeline_app = typer.Typer(no_args_is_help=True, help="The way of a component: show.")


@pipeline_app.callback()
def _pipeline() -> None:
    """The way of a component through the environments."""


@pipeline_app.command("show")
def show_pipeline(
    component: Component, organization: Organization = "", output: Output = Format.TABLE
) -> None:
    """Draw the way of a component: what is where, and what must hold at each step."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/components/{owner}/{component}/pipeline")
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    out().print(f"[name]{found['component']}[/name] on pipeline {found['name']}")
    for problem in found["problems"]:
        out().print(f"[bad]✗[/bad] {problem}", soft_wrap=True)
    for line in _drawn(found):
        out().print(line, soft_wrap=True)


def _drawn(found: Mapping[str, Any]) -> Iterable[str]:
    """Yields the environments from the first one on, each below those it is reached from."""
    stages = {one["environment"]: one for one in found["stages"]}
    steps: dict[str, list[Mapping[str, Any]]] = {}
    for step in found["steps"]:
        steps.setdefault(step["source"], []).append(step)
    targets = {step["target"] for step in found["steps"]}
    shown: set[str] = set()

    def below(environment: str, indent: str) -> Iterable[str]:
        for place, step in enumerate(steps.get(environment, [])):
            last = place + 1 == len(steps[environment])
            yield f"{indent}[quiet]{'└' if last else '├'}─[/quiet] {_rules(step)}"
            further = f"{indent}{'   ' if last else '[quiet]│[/quiet]  '}"
            yield f"{further}{_stage(stages.get(step['target']), step['target'])}"
            if step["target"] not in shown:
                shown.add(step["target"])
                yield from below(step["target"], further)

    for name, stage in stages.items():
        if name not in targets:
            yield _stage(stage, name)
            yield from below(name, "")


def _stage(stage: Mapping[str, Any] | None, name: str) -> str:
    if stage is None or not stage["version"]:
        return f"[name]{name}[/name]  [quiet]nothing runs[/quiet]"
    mark = "[good]✓[/good]" if stage["ready"] else "[bad]✗[/bad]"
    held = f"  [warn]held: {stage['held']}[/warn]" if stage["held"] else ""
    since = f" [quiet]({age(stage['since'])})[/quiet]" if stage["since"] else ""
    return f"{mark} [name]{name}[/name]  {stage['version']}{since}{held}"


def _rules(step: Mapping[str, Any]) -> str:
    parts = ["by itself" if step["mode"] == "Auto" else "by a person"]
    parts += [f"soak {step['soakSeconds']} s"] if step["soakSeconds"] else []
    parts += [f"gates {', '.join(step['gates'])}"] if step["gates"] else []
    parts += [f"approval {step['approval']}"] if step["approval"] else []
    parts += [f"watch {step['watchSeconds']} s"] if step["watchSeconds"] else []
    return f"[quiet]{'; '.join(parts)}[/quiet]"
