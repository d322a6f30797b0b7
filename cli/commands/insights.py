"""How delivery goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.client import Api
from cli.console import err
from cli.options import Organization, Output
from cli.output import Format, lasted, show_data, show_table
from cli.profile import Profile

_COLUMNS = ("project", "environment", "changes", "per day", "lead time", "failures", "restored in")
_WIDE = ("lead time p90", "restored in p90")


def insights(
    project: Annotated[str, typer.Option("--project", "-p", help="Only this one.")] = "",
    environment: Annotated[str, typer.Option("--environment", "-e", help="Only there.")] = "",
    days: Annotated[int, typer.Option("--days", "-d", min=1, max=366, help="How far back.")] = 30,
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show how often is deployed, how long it takes, how often it fails and is put right.

    Times are medians; `-o wide` adds the 90th percentile. docs/insights.md says what is counted.
    """
    profile = Profile()
    with Api(profile) as api:
        found = api.get(
            "/v1/insights",
            organization=profile.needs_organization(organization),
            project=project,
            environment=environment,
            days=days,
        )
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    wide = output is Format.WIDE
    show_table(
        [*_COLUMNS, *(_WIDE if wide else ())],
        [_row(item, wide=wide) for item in found["items"]],
        empty=f"nothing was deployed in the last {days} days",
    )
    if found["truncated"]:
        err().print("[quiet]only the newest deployments of the period are counted[/quiet]")


def _row(item: Mapping[str, Any], *, wide: bool) -> list[str]:
    rate = item["changeFailureRate"]
    lead, restore = item["leadTime"], item["timeToRestore"]
    row = [
        item["project"],
        item["environment"],
        str(item["changes"]),
        f"{item['deploymentsPerDay']:.2f}",
        _time(lead["median"]),
        "-" if rate is None else f"{rate:.0%}",
        _time(restore["median"]),
    ]
    return [*row, _time(lead["p90"]), _time(restore["p90"])] if wide else row


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else lasted(seconds)
