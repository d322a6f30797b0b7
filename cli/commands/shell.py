"""Small things about the command itself."""

from __future__ import annotations

import sys
from enum import StrEnum
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Annotated

import typer
from typer._completion_shared import get_completion_script


class Shell(StrEnum):
    """Shells with completion."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="Which shell.")]) -> None:
    """Print the script that completes commands in a shell.

    For this session of bash: `source <(pavane completion bash)`.
    """
    script = get_completion_script(
        prog_name="pavane", complete_var="_PAVANE_COMPLETE", shell=shell.value
    )
    typer.echo(script)


def version() -> None:
    """Print the version of this command."""
    try:
        own = version_of("pavane")
    except PackageNotFoundError:
        own = "not installed"
    typer.echo(f"pavane {own} (Python {sys.version.partition(' ')[0]})")
