"""Answers a leak of secrets: shows the plan, asks once, and tells what was done."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client import Api
from cli.console import err
from cli.errors import ExitCode, Problem
from cli.options import Organization, Output
from cli.output import Format, between, show_data, show_table
from cli.profile import Profile
from cli.watching import watch

_LOOK = 0.3
Project = Annotated[str, typer.Option("--project", help="Whose secrets leaked.")]
Environment = Annotated[
    str, typer.Option("--environment", "-e", help="Only what is used there. Default: everywhere.")
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="What happened; it is written down.")]


def leak(  # noqa: PLR0917 - typer calls by name
    project: Project,
    reason: Reason = "",
    environment: Environment = "",
    confirm: Annotated[
        str, typer.Option("--confirm", help="Hash of the plan you saw: do not ask.")
    ] = "",
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what would be done; confirm it later.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Show how the last response stands or ended.")
    ] = False,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Turn over all secrets of a project that may be known to strangers.

    Shows what is to be done and does it when you confirm it: all rotations at once, with little
    time, and without the approvals that they ask otherwise. With `-o json` the evidence.
    """
    profile = Profile()
    where = f"/v1/leaks/{profile.needs_organization(organization)}/{project}"
    with Api(profile) as api:
        if not report:
            if not reason:
                raise Problem("a leak needs a reason: --reason WHY", code=ExitCode.USAGE)
            api.post(where, {"environment": environment, "reason": reason})
            found = _planned(api, where, environment)
            if plan:
                _show(found, output)
                return
            if found["awaitsConfirmation"]:
                _confirm(api, where, environment, found, confirm)
            watch(api, found["id"])
        found = api.get(where, environment=environment)
    _show(found, output)
    raise typer.Exit(0 if _is_well(found) else 1)


def _planned(api: Api, where: str, environment: str) -> Any:
    """Returns the response once it has a plan, or is over; says meanwhile what is waited for."""
    with err().status("looking which secrets there are, and who uses them on each plane"):
        while True:
            found = api.get(where, environment=environment)
            if found["plan"]["hash"] or found["endedAt"]:
                return found
            time.sleep(_LOOK)


def _confirm(api: Api, where: str, environment: str, found: Any, given: str) -> None:
    """Asks once, for exactly this plan."""
    wanted = found["plan"]["hash"]
    if not given:
        if not sys.stdin.isatty():
            raise Problem(
                f"nothing was done: confirm the plan with --confirm {wanted}", code=ExitCode.USAGE
            )
        _show_plan(found["plan"])
        word = typer.prompt(f"Type the project's name to turn over {_count(found)}", err=True)
        if word != found["project"]:
            raise Problem("not confirmed: nothing was done", code=ExitCode.USAGE)
        given = wanted
    api.post(f"{where}/confirm", {"plan": given, "environment": environment})


def _show(found: Any, output: Format) -> None:
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    if not found["secrets"]:
        _show_plan(found["plan"])
        if found["awaitsConfirmation"]:
            err().print(
                f"[warn]nothing was done[/warn]: confirm with --confirm {found['plan']['hash']}",
                soft_wrap=True,
            )
        else:
            err().print(escape(found["message"]))
        return
    show_table(
        ["secret", "outcome", "versions", "consumers", "took", "message"],
        [
            [
                one["path"],
                one["outcome"],
                f"{one['before']} to {one['version']}" if one["version"] else "",
                ", ".join(one["consumers"]) or "none",
                between(one["begun"], one["ended"]) if one["ended"] else "",
                one["message"],
            ]
            for one in found["secrets"]
        ],
        empty="",
    )
    err().print(escape(found["message"]))


def _show_plan(plan: Any) -> None:
    show_table(
        ["secret", "by", "who begins anew", "expected", "not asked"],
        [
            [
                one["path"],
                f"{one['rotation']} ({one['engine']})",
                ", ".join(one["consumers"]) or "nobody",
                f"{one['expectedSeconds']}s",
                ", ".join(one["skips"]),
            ]
            for one in plan["entries"]
        ],
        empty="no secret has a SecretRotation",
    )
    for one in plan["byHand"]:
        users = ", ".join(one["consumers"]) or "nobody"
        err().print(
            f"[warn]by hand[/warn] {escape(one['path'])}, used by {escape(users)}: "
            f"no SecretRotation; `pavane secret set {escape(one['path'])} --restart`",
            soft_wrap=True,
        )
    for queue in plan["silentPlanes"]:
        err().print(f"[warn]{queue} does not answer[/warn]: who uses what there is not known")
    err().print(f"plan {plan['hash']}, expected to take {plan['expectedSeconds']}s", soft_wrap=True)


def _count(found: Any) -> str:
    number = len(found["plan"]["entries"])
    return "1 secret" if number == 1 else f"{number} secrets"


def _is_well(found: Any) -> bool:
    every = all(one["outcome"] == "Replaced" for one in found["secrets"])
    return bool(found["endedAt"]) and every and not found["plan"]["byHand"]
