"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.output import Format

Organization = Annotated[
    str,
    typer.Option(
        "--organization",
        "-n",
        envvar="PAVANE_ORGANIZATION",
        help="Organization. Default: that of the current context.",
    ),
]
Output = Annotated[Format, typer.Option("--output", "-o", help="How to show the answer.")]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Watch until it is over, or only order it.")
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on while more is written.")]
At = Annotated[
    str, typer.Option("--at", help="Not before: 2026-11-27T22:00 here, or in 2h.", metavar="TIME")
]
Expires = Annotated[
    str, typer.Option("--expires", help="Give up then, if it is not let through.", metavar="TIME")
]
Files = Annotated[
    list[Path],
    typer.Option(
        "--filename", "-f", help="File, folder or - for standard input. May be given again."
    ),
]
