"""What was deployed when and by whom, and what differs between two deployments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.console import err, out
from cli.options import Organization, Output
from cli.output import Format, age, lasted, show_data, show_table
from cli.profile import Profile

Revision = Annotated[
    str, typer.Argument(help="Number, Deployment or Release, as `pavane history` shows it.")
]


def history(  # noqa: PLR0917 - typer calls by name
    component: Annotated[str, typer.Argument(help="Name of the component.")],
    environment: Annotated[str, typer.Argument(help="Only there. Default: everywhere.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-l", min=1, max=500, help="How many.")] = 20,
    before: Annotated[int, typer.Option("--before", min=0, help="Only older than this one.")] = 0,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show what was deployed, newest first: who, what, from what, how long, how it ended.

    It is kept for good, also when Temporal and Kubernetes have forgotten it.
    """
    profile = Profile()
    with Api(profile) as api:
        page = api.get(
            "/v1/history",
            organization=profile.needs_organization(organization),
            component=component,
            environment=environment,
            limit=limit,
            before=before,
        )
    if output in {Format.JSON, Format.YAML}:
        show_data(page["items"], output)
        return
    wide = output is Format.WIDE
    columns = ["rev", "environment", "what", "from", "result", "age", "took", "by"]
    more = ["queue", "apply", "rollout", "release", "message"] if wide else []
    show_table(
        [*columns, *more],
        [_row(item, wide=wide) for item in page["items"]],
        empty=f"nothing of {component} was deployed yet",
    )
    if page["nextBefore"]:
        err().print(f"[quiet]older ones: --before {page['nextBefore']}[/quiet]")


def _row(item: Mapping[str, Any], *, wide: bool) -> list[str]:
    action = "" if item["action"] == "deploy" else f"{item['action']} "
    what = item["version"] or item["artifact"] or item["release"]
    lead = item["leadTime"]
    row = [
        str(item["number"]),
        item["environment"],
        f"{action}{what}" if item["changed"] else f"{action}{what} (unchanged)",
        item["fromVersion"] or item["fromRelease"] or "-",
        item["phase"],
        age(item["finished"]),
        lasted(lead["total"]),
        item["actor"],
    ]
    if wide:
        row += ["" if lead[part] is None else lasted(lead[part]) for part in _PARTS]
        restored = "; what ran before was restored" if item["restored"] else ""
        row += [item["release"], f"{item['message']}{restored}"]
    return row


_PARTS = ("queue", "apply", "rollout")


def diff(
    older: Revision,
    newer: Revision,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show what differs between two deployments, object by object and field by field."""
    profile = Profile()
    with Api(profile) as api:
        found = api.get(
            "/v1/history/diff",
            **{"from": older, "to": newer},
            organization=profile.needs_organization(organization),
        )
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    for sign, one in (("-", found["older"]), ("+", found["newer"])):
        what = one["version"] or one["artifact"] or "nothing"
        place = f"{one['component']} in {one['environment']}"
        by = f"{one['actor']}, {age(one['finished'])} ago"
        out().print(f"{sign} {one['number']} {place}: {what} [quiet]({by})[/quiet]", soft_wrap=True)
    _show_differences(found["differences"])
    if found["note"]:
        out().print(f"[quiet]{found['note']}[/quiet]", soft_wrap=True)


def _show_differences(differences: list[Mapping[str, Any]]) -> None:
    last = ""
    for one in differences:
        if one["object"] != last:
            last = one["object"]
            out().print(f"[name]{last}[/name]", soft_wrap=True)
        console = out()
        if not one["field"]:
            word = "only in the newer" if one["after"] == "there" else "only in the older"
            console.print(f"  {'changed' if one['after'] == 'changed' else word}")
            continue
        console.print(f"  {one['field']}", markup=False, soft_wrap=True)
        for sign, style, text in (("-", "bad", one["before"]), ("+", "good", one["after"])):
            if text:
                console.print(f"    {sign} {text}", style=style, markup=False, soft_wrap=True)
