"""Promotes components together: all or none, or a batch at a bounded rate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.console import err, out
from cli.errors import ExitCode, Problem
from cli.options import Organization, Output, Wait
from cli.output import Format, show_data, show_table
from cli.profile import Profile
from cli.watching import conclude, watch

app = typer.Typer(
    no_args_is_help=True,
    help="Components that are promoted together: promote, status, pause, resume, exclude.",
)
Name = Annotated[str, typer.Argument(help="What the set is called.")]
Environment = Annotated[str, typer.Argument(help="Name of the environment.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is written down.")]
Components = Annotated[
    list[str], typer.Option("--component", "-c", help="A component. May be given again.")
]
After = Annotated[
    list[str],
    typer.Option("--after", help="web=api: web needs api, which goes first. May be given again."),
]
Batch = Annotated[
    bool, typer.Option("--batch", help="Each stands for itself. Default: all or none.")
]
Parallel = Annotated[int, typer.Option("--parallel", min=1, max=50, help="How many at once.")]
Every = Annotated[
    int, typer.Option("--every", min=0, max=86_400, help="Least seconds between two beginnings.")
]
Budget = Annotated[
    int, typer.Option("--failures", min=0, help="Of a batch: more failures than that end it.")
]


@app.command()
def promote(  # noqa: PLR0917 - typer calls by name
    name: Name,
    environment: Environment,
    component: Components,
    after: After = [],  # noqa: B006 - typer makes a new one
    batch: Batch = False,
    parallel: Parallel = 5,
    every: Every = 0,
    failures: Budget = 0,
    reason: Why = "",
    organization: Organization = "",
    wait: Wait = True,
) -> None:
    """Promote components in the order of what they need, each through its own gates.

    When one does not come, those that did are rolled back in reverse, unless it is a batch.
    """
    profile = Profile()
    owner = profile.needs_organization(organization)
    order = {
        "organization": owner,
        "name": name,
        "environment": environment,
        "members": _members(component, after),
        "isUnit": not batch,
        "maxParallel": parallel,
        "everySeconds": every,
        "failureBudget": failures,
        "reason": reason,
    }
    with Api(profile) as api:
        accepted = api.post("/v1/sets", order)
        if not wait:
            out().print(accepted["id"], soft_wrap=True)
            return
        code = conclude(watch(api, accepted["id"]))
        _show(api.get(f"/v1/sets/{owner}/{name}/{environment}"))
    raise typer.Exit(code)


@app.command()
def status(
    name: Name,
    environment: Environment,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show where each component of a set stands."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/sets/{owner}/{name}/{environment}")
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    _show(found)


@app.command()
def pause(
    name: Name, environment: Environment, reason: Why = "", organization: Organization = ""
) -> None:
    """Begin no more components; those on their way go on."""
    _tell(name, environment, organization, {"act": "pause", "reason": reason})


@app.command()
def resume(
    name: Name, environment: Environment, reason: Why = "", organization: Organization = ""
) -> None:
    """Go on with a set that was paused."""
    _tell(name, environment, organization, {"act": "resume", "reason": reason})


@app.command()
def exclude(
    name: Name,
    environment: Environment,
    component: Annotated[str, typer.Argument(help="Component that has not begun.")],
    reason: Why = "",
    organization: Organization = "",
) -> None:
    """Take a component out of a set before it begins."""
    word = {"act": "exclude", "component": component, "reason": reason}
    _tell(name, environment, organization, word)


def _tell(name: str, environment: str, organization: str, word: Mapping[str, str]) -> None:
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.post(f"/v1/sets/{owner}/{name}/{environment}/commands", dict(word))
    err().print(f"[good]✓[/good] told: {word['act']}")
    _show(found)


def _members(components: Iterable[str], after: Iterable[str]) -> list[dict[str, Any]]:
    needs: dict[str, list[str]] = {name: [] for name in components}
    for one in after:
        later, _, earlier = one.partition("=")
        if not earlier or later not in needs:
            raise Problem(
                f"--after {one!r} says nothing about a component of the set",
                title="Wrong usage",
                advice="Write --after web=api: web needs api, and both are given with -c.",
                code=ExitCode.USAGE,
            )
        needs[later].append(earlier)
    return [{"component": name, "after": names} for name, names in needs.items()]


def _show(found: Mapping[str, Any]) -> None:
    paused = ", paused" if found["isPaused"] else ""
    kind = "all or none" if found["isUnit"] else "batch"
    out().print(f"set {found['name']} to {found['environment']} ({kind}): {found['phase']}{paused}")
    rows = [[one["component"], one["phase"], one["message"]] for one in found["members"]]
    show_table(["component", "state", "why"], rows, empty="no components")
