"""Where commands write: answers to standard output, everything else to standard error.

Colours only on a terminal; ``NO_COLOR`` is honoured by rich.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.theme import Theme

if TYPE_CHECKING:
    from cli.errors import Problem

_THEME = Theme(
    {
        "good": "green",
        "bad": "bold red",
        "warn": "yellow",
        "busy": "cyan",
        "quiet": "dim",
        "name": "bold",
    }
)
_PLAIN_WIDTH = 200
"""Columns when nobody looks: rows must not be broken for programs that read them."""


def _console(*, stderr: bool = False) -> Console:
    made = Console(theme=_THEME, stderr=stderr, highlight=False, emoji=False)
    if not made.is_terminal:
        made = Console(
            theme=_THEME, stderr=stderr, highlight=False, emoji=False, width=_PLAIN_WIDTH
        )
    return made


def out() -> Console:
    """Returns the console for answers."""
    return _console()


def err() -> Console:
    """Returns the console for progress, hints and problems."""
    return _console(stderr=True)


def show_problem(problem: Problem) -> None:
    """Writes what, where, why and what to do."""
    console = err()
    rows = [("What", problem.what), ("Where", problem.where)]
    rows += [("Why", f"{name}: {fact}") for name, fact in problem.facts.items() if fact]
    rows.append(("Do", problem.advice))
    console.print(f"[bad]✗ {problem.title}[/bad]")
    for label, text in rows:
        if text:
            console.print(f"  [quiet]{label:<6}[/quiet]", end="")
            indented = text.replace("\n", "\n        ")
            console.print(indented, markup=False, soft_wrap=True)
