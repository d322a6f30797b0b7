"""Shows which secrets expire, and who must replace them."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from cli.client import Api
from cli.errors import ExitCode, Problem
from cli.options import Organization, Output
from cli.output import Format, show_data, show_table
from cli.profile import Profile

_WITHIN = re.compile(r"(\d{1,4})d?")


def expiring(
    within: Annotated[str, typer.Option("--within", help="How soon, in days: 30d.")] = "30d",
    organization: Organization = "",
    output: Output = Format.TABLE,
) -> None:
    """Show secrets that expire soon, or have, with their owners; the first one first."""
    if not (days := _WITHIN.fullmatch(within)):
        raise Problem(f"--within {within!r}: write days, such as 30d", code=ExitCode.USAGE)
    profile = Profile()
    owner = profile.needs_organization(organization)
    with Api(profile) as api:
        found = api.get(f"/v1/secrets/{owner}/expiring", within_days=int(days[1]))
    if output in {Format.JSON, Format.YAML}:
        show_data(found, output)
        return
    show_table(
        ["secret", "expires", "owner"],
        [[one["path"], one["expires"], one["owner"] or "nobody named"] for one in found["items"]],
        empty=f"nothing expires within {days[1]} days",
    )
