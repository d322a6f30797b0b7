"""Stops everything, an organization or an environment in an emergency, and lets it go on."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.client import Api
from cli.console import err, out
from cli.errors import ExitCode, Problem
from cli.options import Organization, Output
from cli.output import Format, age, show_data, show_table
from cli.profile import Profile

Environment = Annotated[
    str, typer.Option("--environment", "-e", help="Only this one. Default: the organization.")
]
Everything = Annotated[
    bool,
    typer.Option("--everything", help="All organizations; for the installation's admins."),
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; required, it is written down.")]


def stop(  # noqa: PLR0917 - typer calls by name
    reason: Reason = "",
    environment: Environment = "",
    everything: Everything = False,
    listing: Annotated[bool, typer.Option("--list", help="Show which stops hold.")] = False,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Stop an organization, one environment, or everything: an emergency stop.

    Every flow parks at its next safe point, also those that begin later. What is being applied or
    undone is completed first. `pavane resume` lets them go on.
    """
    if listing:
        _list(organization, output, everything=everything)
        return
    done = _order("/v1/stops", reason, environment, organization, everything=everything)
    if not done["changed"]:
        err().print(f"[quiet]{done['place']} was stopped already[/quiet]")
        return
    err().print(f"[bad]■[/bad] {done['place']} is stopped; {_flows(done['told'])} told")


def resume(
    reason: Reason = "",
    environment: Environment = "",
    everything: Everything = False,
    organization: Organization = "",
) -> None:
    """Let a stopped organization, environment or everything go on.

    Parked flows read their facts anew before they go on. Name the place as it was stopped.
    """
    done = _order("/v1/stops/resume", reason, environment, organization, everything=everything)
    if not done["changed"]:
        err().print(f"[quiet]{done['place']} was not stopped[/quiet]")
        return
    err().print(f"[good]▶[/good] {done['place']} goes on; {_flows(done['told'])} told")


def _order(
    path: str, reason: str, environment: str, organization: str, *, everything: bool
) -> dict[str, Any]:
    if not reason.strip():
        raise Problem(
            "a reason is required: it is written down and shown to everybody who waits",
            title="No reason",
            advice="Add --reason 'why'.",
            code=ExitCode.USAGE,
        )
    profile = Profile()
    owner = "" if everything else profile.needs_organization(organization)
    body = {"organization": owner, "environment": environment, "reason": reason}
    with Api(profile) as api:
        answer: dict[str, Any] = api.post(path, body)
    return answer


def _list(organization: str, output: Format, *, everything: bool) -> None:
    profile = Profile()
    owner = "" if everything else profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get("/v1/stops", organization=owner)["items"]
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    rows = [[one["place"], age(one["since"]), one["actor"], one["reason"]] for one in found]
    show_table(["stopped", "for", "by", "reason"], rows, empty="nothing is stopped")
    if rows:
        out().print("[quiet]end one with pavane resume --reason ...[/quiet]")


def _flows(number: int) -> str:
    return "1 running flow was" if number == 1 else f"{number} running flows were"
