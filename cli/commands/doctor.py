"""Whether the installation is as it must be."""

from __future__ import annotations

import typer
from rich.markup import escape

from cli.client import Api
from cli.console import out
from cli.errors import ExitCode
from cli.options import Output
from cli.output import Format, show_data
from cli.profile import Profile

_MARKS = {
    "Ok": "[good]✓[/good]",
    "Warning": "[warn]![/warn]",
    "Error": "[bad]✗[/bad]",
}


def doctor(output: Output = Format.TABLE) -> None:
    """Check the installation: versions, rights, who answers, migrations, clocks, certificates.

    Names the remedy of each finding. For administrators; changes nothing. Exit code 1 when
    something does not work.
    """
    with Api(Profile()) as api:
        items = api.get("/v1/installation/findings")["items"]
    if output in {Format.JSON, Format.YAML}:
        show_data(items, output)
    else:
        for one in items:
            out().print(
                f"{_MARKS[one['level']]} [name]{one['check']}[/name]  {escape(one['found'])}"
            )
            if one["remedy"]:
                out().print(f"    {escape(one['remedy'])}", soft_wrap=True)
    if any(one["level"] == "Error" for one in items):
        raise typer.Exit(ExitCode.FAILED)
