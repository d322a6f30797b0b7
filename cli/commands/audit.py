"""Who did what and why: lists, exports and verifies the audit."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.console import err, out
from cli.options import Organization, Output
from cli.output import Format, age, show_data, show_table
from cli.profile import Profile

app = typer.Typer(no_args_is_help=True, help="Who did what and why: list, export, verify.")


class Export(StrEnum):
    """How facts are exported."""

    JSON_LINES = "jsonl"
    CEF = "cef"


@app.command("list")
def list_facts(  # noqa: PLR0917 - typer calls by name
    component: Annotated[str, typer.Option("--component", "-c", help="Only of this one.")] = "",
    environment: Annotated[str, typer.Option("--environment", "-e", help="Only there.")] = "",
    actor: Annotated[str, typer.Option("--actor", help="Only by this person.")] = "",
    action: Annotated[
        str, typer.Option("--action", help="Such as deployment.applied, or deployment. for all.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", "-l", min=1, max=500, help="How many.")] = 20,
    before: Annotated[int, typer.Option("--before", min=0, help="Only older than this row.")] = 0,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """List audit facts, newest first. The organization `-` is the installation itself."""
    profile = Profile()
    with Api(profile) as api:
        page = api.get(
            "/v1/audit",
            organization=profile.needs_organization(organization),
            component=component,
            environment=environment,
            actor=actor,
            action=action,
            limit=limit,
            before=before,
        )
    if output in {Format.JSON, Format.YAML}:
        show_data(page["items"], output)
        return
    wide = output is Format.WIDE
    columns = ["row", "age", "who", "did", "what", "result", "from", "to"]
    show_table(
        [*columns, *(["authority", "reason", "message"] if wide else [])],
        [_row(item, wide=wide) for item in page["items"]],
        empty="no facts",
    )
    if page["nextBefore"]:
        err().print(f"[quiet]older ones: --before {page['nextBefore']}[/quiet]")


def _row(item: Mapping[str, Any], *, wide: bool) -> list[str]:
    row = [
        str(item["sequence"]),
        age(item["at"]),
        item["actor"],
        item["action"],
        item["subject"],
        item["result"],
        item["before"] or "-",
        item["after"] or "-",
    ]
    return [*row, item["authority"], item["reason"], item["message"]] if wide else row


@app.command()
def export(
    form: Annotated[
        Export, typer.Option("--format", help="jsonl = whole rows; cef = for a SIEM.")
    ] = Export.JSON_LINES,
    organization: Organization = "",
) -> None:
    """Write every fact of the organization to standard output, one a line, oldest first."""
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        for line in api.lines("/v1/audit/export", organization=owner, format=form.value):
            typer.echo(line)


@app.command()
def verify(organization: Organization = "", output: Output = Format.TABLE) -> None:
    """Check that no fact was changed, removed or moved, and up to where that is signed.

    Exit code 1 when a row or a signature is not what it was.
    """
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get("/v1/audit/verify", organization=owner)
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
    elif found["holds"]:
        told = f"{found['rows']} facts of {owner} are as they were written"
        out().print(f"[good]✓[/good] {told}, head {found['head'][:12]}")
    else:
        out().print(f"[bad]✗ the audit of {owner} does not hold[/bad]")
        for fault in found["faults"]:
            text = f"  row {fault['sequence']} is {fault['kind']}: {fault['detail']}"
            out().print(text, markup=False, soft_wrap=True)
    if output not in {Format.JSON, Format.YAML}:
        out().print(_signed(found), markup=False, soft_wrap=True)
    raise typer.Exit(0 if found["holds"] else 1)


def _signed(found: Mapping[str, Any]) -> str:
    """Returns what signatures say of the chain."""
    if not found["signedUpTo"]:
        return "  no signature stands under it: a chain written anew as a whole would not be found"
    text = (
        f"  signed up to row {found['signedUpTo']} of {found['rows']} by {found['signingKey']}, "
        f"{age(found['signedAt'])} ago"
    )
    if found["keysKnown"]:
        return text
    return f"{text}; the API knows no key of its own, so whoever wrote rows may have signed them"
