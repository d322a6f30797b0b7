"""Commands that are known by name and imported when they are used, so that start-up is quick."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

_COMMANDS = "cli.commands"


@dataclass(frozen=True)
class Entry:
    """Where a command is."""

    module: str
    """Name in the package of commands, or a whole path."""
    attribute: str
    """A function, or a ``Typer`` with commands of its own."""
    help: str
    panel: str


class LazyCommand(TyperCommand):
    """Stands for a command in help texts and becomes it when it is called."""

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name, help=entry.help, rich_help_panel=entry.panel)
        self._entry = entry

    # The real command knows which more arguments it takes: they are passed on as they are.
    def make_context(self, info_name: str | None, args: list[str], **rest: Any) -> Any:  # type: ignore[override]
        """Returns the context of the real command."""
        return self.load().make_context(info_name, args, **rest)

    def load(self) -> Any:
        """Imports the real command."""
        place = self._entry.module
        path = place if "." in place else f"{_COMMANDS}.{place}"
        # What is imported stays: looking for garbage in it meanwhile is a sixth of the start.
        gc.disable()
        target = getattr(import_module(path), self._entry.attribute)
        gc.freeze()
        gc.enable()
        if not isinstance(target, typer.Typer):
            app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
            app.command(self.name, help=target.__doc__)(target)
            target = app
        target.info.name = self.name
        # Completion is `pavane completion`: a group has no switches for its own.
        target._add_completion = False  # noqa: SLF001 - there is no public way after it was made
        return get_command(target)


class LazyGroup(TyperGroup):
    """A group whose commands stand in a table."""

    entries: ClassVar[dict[str, Entry]]

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the order of the table."""
        del ctx
        return list(self.entries)

    def get_command(self, ctx: Any, cmd_name: str) -> LazyCommand | None:
        """The command, not loaded yet."""
        del ctx
        entry = self.entries.get(cmd_name)
        return LazyCommand(cmd_name, entry) if entry else None
