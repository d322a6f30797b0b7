"""Shows what a component or a build wrote."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.client import Api
from cli.console import out
from cli.errors import ExitCode, Problem
from cli.options import Follow, Organization
from cli.profile import Profile

_BUILD_PARTS = 4


def logs(  # noqa: PLR0917 - typer calls by name
    component: Annotated[str, typer.Argument(help="Name of the component.")] = "",
    environment: Annotated[
        str, typer.Option("--environment", "-e", help="Where the component runs.")
    ] = "",
    build: Annotated[
        str, typer.Option("--build", "-b", help="Build: its id, or its commit with COMPONENT.")
    ] = "",
    follow: Follow = False,
    tail: Annotated[
        int, typer.Option("--tail", help="Last lines of each pod, without --since.")
    ] = 200,
    since: Annotated[
        str,
        typer.Option(
            "--since", help="All of so long, such as 2h, also of pods that are gone (at most 30d)."
        ),
    ] = "",
    project: Annotated[
        str, typer.Option("--project", help="Whose a component was that is gone, with --since.")
    ] = "",
    previous: Annotated[
        bool, typer.Option("--previous", "-p", help="Of the pods before their last restart.")
    ] = False,
    organization: Organization = "",
) -> None:
    """Show the log of a component in an environment, or of a build."""
    if not build and not (component and environment):
        raise _unclear()
    profile = Profile()
    if build:
        path = _build_path(profile, organization, component, build)
        params: dict[str, object] = {"follow": follow}
    else:
        path = f"/v1/components/{profile.needs_organization(organization)}/{component}/logs"
        params = {
            "environment": environment,
            "follow": follow,
            "tail": tail,
            "previous": previous,
            "since": since,
        } | ({"project": project} if project else {})
    console = out()
    with Api(profile) as api:
        for line in api.lines(path, **params):
            console.print(line, markup=False, soft_wrap=True)


def _unclear() -> Problem:
    return Problem(
        "it is not clear which log is meant",
        title="Which log?",
        advice="Give COMPONENT --environment NAME, or --build ID.",
        code=ExitCode.USAGE,
    )


def _build_path(profile: Profile, organization: str, component: str, build: str) -> str:
    parts = build.split("/")
    if parts[0] == "build" and len(parts) >= _BUILD_PARTS:
        organization, component, commit = parts[1:_BUILD_PARTS]
    elif component:
        organization, commit = profile.needs_organization(organization), build
    else:
        raise Problem(
            f"{build} is not the id of a build",
            title="Which build?",
            advice="Give build/ORGANIZATION/COMPONENT/COMMIT, or COMPONENT and --build COMMIT.",
            code=ExitCode.USAGE,
        )
    return f"/v1/builds/{organization}/{component}/{commit}/logs"
