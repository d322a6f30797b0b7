"""What waits for a person after a technical fault: list it, and decide about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.console import err
from cli.options import Organization, Output
from cli.output import Format, age, show_data, show_table
from cli.profile import Profile

app = typer.Typer(
    no_args_is_help=True,
    help="What a technical fault parked: list, retry, skip, fix, compensate.",
)
OperationId = Annotated[str, typer.Argument(metavar="ID", help="As `park list` shows it.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; required, it is written down.")]


@app.command("list")
def list_parked(organization: Organization = "", output: Output = Format.TABLE) -> None:
    """List what waits for a person, and what can be chosen."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        page = api.get("/v1/operations", organization=owner, phase="Parked", limit=100)
        found = [api.get(f"/v1/operations/{one['id']}") for one in page["items"]]
    parked = [one for one in found if one.get("parked")]
    if output in {Format.JSON, Format.YAML}:
        show_data(parked, output)
        return
    show_table(
        ["operation", "step", "for", "choices", "why"],
        [_row(one) for one in parked],
        empty="nothing is parked",
    )


def _row(operation: Mapping[str, Any]) -> list[str]:
    parked = operation["parked"]
    name = "/".join(operation["id"].split("/")[:4])
    choices = ", ".join(parked["choices"])
    return [name, parked["step"], age(parked["since"]), choices, parked["message"]]


@app.command()
def retry(operation_id: OperationId, reason: Reason) -> None:
    """Try again what did not succeed."""
    _decide(operation_id, {"choice": "retry", "reason": reason})


@app.command()
def skip(operation_id: OperationId, reason: Reason) -> None:
    """Go on without it, where that is possible (administrators)."""
    _decide(operation_id, {"choice": "skip", "reason": reason})


@app.command()
def fix(
    operation_id: OperationId,
    reason: Reason,
    artifact: Annotated[str, typer.Option("--artifact", "-a", help="Deploy this instead.")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Take over fields of other managers.")
    ] = False,
) -> None:
    """Change the input, then try again."""
    order = {"choice": "fix", "reason": reason, "artifact": artifact, "forceConflicts": force}
    _decide(operation_id, order)


@app.command()
def compensate(operation_id: OperationId, reason: Reason) -> None:
    """Give up: what was done is undone."""
    _decide(operation_id, {"choice": "compensate", "reason": reason})


def _decide(operation_id: str, order: Mapping[str, Any]) -> None:
    with Api(Profile()) as api:
        operation = api.post(f"/v1/operations/{operation_id}/resolve", order)
    err().print(f"[good]✓[/good] {order['choice']}: {operation['summary']}", soft_wrap=True)
    err().print(f"watch it: pavane operations watch {operation['id']}", soft_wrap=True)
