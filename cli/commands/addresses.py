"""Tells where a component answers, and opens it."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.console import err, out
from cli.errors import ExitCode, Problem
from cli.options import Organization, Output
from cli.output import Format, show_data, show_table
from cli.profile import Profile

_FOR_BROWSERS = ("http://", "https://")


def open_component(  # noqa: PLR0917 - typer calls by name
    component: Annotated[str, typer.Argument(help="Name of the component.")],
    environment: Annotated[
        str, typer.Argument(help="Where. Default: the only place where it answers.")
    ] = "",
    endpoint: Annotated[
        str, typer.Argument(help="Endpoint. Default: the one that everybody may call.")
    ] = "",
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open it when this is a terminal.")
    ] = True,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Print where a component answers; on a terminal, open it in a browser too.

    What is not public has an address within the plane only, which no browser opens.
    """
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/components/{owner}/{component}/status")
    place = _place(component, found["environments"], environment)
    known = place.get("endpoints") or _told_before(place)
    if output in {Format.JSON, Format.YAML}:
        show_data(known, output)
        return
    if output is Format.WIDE:
        rows = [[one["name"], one["type"], one["visibility"], one["url"]] for one in known]
        show_table(["endpoint", "speaks", "visibility", "url"], rows, empty="it answers nobody")
        return
    chosen = _endpoint(component, place["environment"], known, endpoint)
    out().print(chosen["url"], soft_wrap=True, markup=False, highlight=False)
    if chosen["visibility"] != "public":
        err().print(
            f"[quiet]{chosen['name']} is for its {chosen['visibility']}: this address is known "
            "on the plane only[/quiet]"
        )
    elif browser and sys.stdout.isatty() and chosen["url"].startswith(_FOR_BROWSERS):
        webbrowser.open(chosen["url"])


def _place(component: str, places: Sequence[Mapping[str, Any]], wanted: str) -> Mapping[str, Any]:
    answering = [one for one in places if one.get("endpoints") or one["url"]]
    if wanted:
        known = [one for one in places if one["environment"] == wanted]
        if not known:
            names = ", ".join(one["environment"] for one in places) or "none"
            raise Problem(
                f"{component} has no environment {wanted}: it has {names}",
                advice=f"pavane status {component}",
                code=ExitCode.NOT_FOUND,
            )
        answering = [one for one in known if one in answering]
    if not answering:
        where = f" in {wanted}" if wanted else ""
        raise Problem(
            f"{component} answers nowhere{where}: it does not run there, or has no endpoint",
            advice=f"pavane status {component}",
            code=ExitCode.NOT_FOUND,
        )
    if len(answering) > 1:
        names = ", ".join(one["environment"] for one in answering)
        raise Problem(
            f"{component} answers in {names}: name one",
            advice=f"pavane open {component} {answering[0]['environment']}",
            code=ExitCode.USAGE,
        )
    return answering[0]


def _endpoint(
    component: str, environment: str, known: Sequence[Mapping[str, Any]], wanted: str
) -> Mapping[str, Any]:
    for one in known:
        if wanted in {"", one["name"]}:
            return one
    names = ", ".join(one["name"] for one in known if one["name"]) or "none"
    raise Problem(
        f"{component} in {environment} has no endpoint {wanted}: it has {names}",
        advice=f"pavane open {component} {environment} -o wide",
        code=ExitCode.NOT_FOUND,
    )


def _told_before(place: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was deployed before addresses were told one by one has its main one only."""
    return [{"name": "", "type": "", "visibility": "public", "url": place["url"]}]
