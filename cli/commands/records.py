"""The records database, for those who run the platform."""

from __future__ import annotations

import subprocess
import sys

import typer

app = typer.Typer(no_args_is_help=True, help="The records database: migrate.")


@app.callback()
def _records() -> None:
    """Records are audit facts and the history of deployments."""


@app.command()
def migrate() -> None:
    """Bring the tables of the records database up to date.

    It is the database of the setting PAVANE_RECORDS__URL. A worker does the same when it starts.
    """
    # A process of its own: only this one command needs the database instead of the API.
    done = subprocess.run([sys.executable, "-m", "clients.records"], check=False)
    raise typer.Exit(done.returncode)
