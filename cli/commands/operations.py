"""Lists, shows, watches and cancels operations."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.console import err, out
from cli.options import Organization, Output
from cli.output import Format, age, between, show_data, show_table
from cli.profile import Profile
from cli.watching import conclude, describe, watch

app = typer.Typer(no_args_is_help=True, help="What runs and ran: list, show, watch, cancel.")

OperationId = Annotated[str, typer.Argument(metavar="ID", help="As `operations list` shows it.")]


class Kind(StrEnum):
    """Kinds of operations."""

    BREAK_GLASS = "break-glass"
    BUILD = "build"
    BUILD_REQUEST = "build-request"
    CONFIGURATION = "configuration"
    DEPLOY = "deploy"
    DEPLOY_AT = "deploy-at"
    DRIFT = "drift"
    LEAK = "leak"
    PLANE_CHECK = "plane-check"
    PROMOTION = "promotion"
    ROLLBACK = "rollback"
    ROTATION = "rotation"
    SET = "set"
    TEARDOWN = "teardown"
    TENANT = "tenant"


class Phase(StrEnum):
    """Where operations stand."""

    PENDING = "Pending"
    RUNNING = "Running"
    PARKED = "Parked"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERRORED = "Errored"
    DENIED = "Denied"
    CANCELLED = "Cancelled"
    SUPERSEDED = "Superseded"


@app.command("list")
def list_operations(  # noqa: PLR0917 - typer calls by name
    component: Annotated[str, typer.Option("--component", "-c", help="Only of this one.")] = "",
    environment: Annotated[str, typer.Option("--environment", "-e", help="Only there.")] = "",
    kind: Annotated[Kind | None, typer.Option("--kind", "-k", help="Only of this kind.")] = None,
    phase: Annotated[
        Phase | None, typer.Option("--phase", "-p", case_sensitive=False, help="Only in this one.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-l", min=1, max=200, help="How many.")] = 20,
    everywhere: Annotated[
        bool, typer.Option("--all", "-A", help="Of all organizations (administrators).")
    ] = False,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """List operations, newest first."""
    profile = Profile()
    owner = "" if everywhere else profile.needs_organization(organization)
    with Api(profile) as api:
        page = api.get(
            "/v1/operations",
            organization=owner,
            component=component,
            environment=environment,
            kind=kind.value if kind else "",
            phase=phase.value if phase else "",
            limit=limit,
        )
    if output in {Format.JSON, Format.YAML}:
        show_data(page["items"], output)
        return
    show_table(
        ["operation", "phase", "age", "took", "by"],
        [_row(item, wide=output is Format.WIDE) for item in page["items"]],
        empty="no operations",
    )
    if page["nextPage"]:
        err().print("[quiet]there are more: raise --limit or filter[/quiet]")


def _row(item: Mapping[str, Any], *, wide: bool) -> list[str]:
    name = item["id"] if wide else "/".join(item["id"].split("/")[:4])
    return [
        name,
        item["phase"],
        age(item["started"]),
        between(item["started"], item["finished"]),
        item["actor"],
    ]


@app.command()
def show(operation_id: OperationId, output: Output = Format.TABLE) -> None:
    """Show an operation: its steps, what it waits for, its result or failure."""
    with Api(Profile()) as api:
        operation = api.get(f"/v1/operations/{operation_id}")
    if output in {Format.JSON, Format.YAML}:
        show_data(operation, output)
        return
    out().print(describe(operation))
    if operation["finished"]:
        conclude(operation)


@app.command("watch")
def watch_operation(operation_id: OperationId) -> None:
    """Watch an operation until it is over; the exit code says how it ended."""
    with Api(Profile()) as api:
        operation = watch(api, operation_id)
    raise typer.Exit(conclude(operation))


@app.command()
def cancel(
    operation_id: OperationId,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is written down.")] = "",
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Watch until everything is undone.")
    ] = True,
) -> None:
    """Stop an operation; it undoes what it did before it ends."""
    with Api(Profile()) as api:
        operation = api.post(f"/v1/operations/{operation_id}/cancel", {"reason": reason})
        if operation["finished"]:
            err().print(f"[quiet]it was over already: {operation['phase']}[/quiet]")
            return
        if not wait:
            err().print("cancel requested")
            return
        operation = watch(api, operation["id"])
    if operation["phase"] == "Cancelled":
        err().print("[good]✓[/good] cancelled and undone")
        return
    raise typer.Exit(conclude(operation))
