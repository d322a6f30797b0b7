"""Shows answers as a table, JSON or YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from rich.table import Table
from rich.text import Text

from cli.console import out


class Format(StrEnum):
    """How an answer is shown."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


_STYLES = {
    "Succeeded": "good",
    "True": "good",
    "Healthy": "good",
    "yes": "good",
    "Failed": "bad",
    "Errored": "bad",
    "Degraded": "bad",
    "Missing": "bad",
    "Denied": "warn",
    "Cancelled": "warn",
    "Superseded": "warn",
    "False": "warn",
    "Running": "busy",
    "Progressing": "busy",
    "Pending": "busy",
    "Parked": "warn",
}
_STEP = re.compile(r"""\.(\w+)(?:\[\?\(@\.(\w+)\s*==\s*["'](.*?)["']\)\])?""")
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def styled(word: str) -> Text:
    """Returns a word in the colour of its meaning."""
    return Text(word, style=_STYLES.get(word, ""))


def show_data(content: Any, form: Format) -> None:
    """Writes JSON or YAML for programs: never coloured, never wrapped."""
    if form is Format.YAML:
        import yaml  # noqa: PLC0415 - a tenth of a second that tables do not need

        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True).rstrip()
    else:
        text = json.dumps(content, indent=2, ensure_ascii=False)
    out().print(text, markup=False, soft_wrap=True)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Writes rows under headings, in the manner of kubectl; says so when there are none."""
    found = list(rows)
    if not found:
        out().print(f"[quiet]{empty}[/quiet]")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="quiet")
    for place, column in enumerate(columns):
        table.add_column(column.upper(), no_wrap=place == 0, overflow="fold")
    for row in found:
        table.add_row(*(styled(cell) for cell in row))
    out().print(table)


def at(content: Mapping[str, Any], path: str) -> str:
    """Returns what a simple JSONPath finds, as people read it.

    Understood are fields and one choice from a list: ``.spec.name``,
    ``.status.conditions[?(@.type=="Ready")].reason``.
    """
    found: Any = content
    for field, key, wanted in _STEP.findall(path):
        found = found.get(field) if isinstance(found, Mapping) else None
        if key:
            entries = found if isinstance(found, list) else []
            found = next((one for one in entries if one.get(key) == wanted), None)
    return words(found)


def words(value: Any) -> str:
    """Returns a JSON value as people read it."""
    match value:
        case None | "":
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(words(item) for item in value)
        case Mapping():
            return ", ".join(f"{key}={words(item)}" for key, item in value.items())
        case _:
            return str(value)


def moment(text: str | None) -> datetime | None:
    """Reads a time of the API."""
    return datetime.fromisoformat(text) if text else None


def age(text: str | None) -> str:
    """Returns how long ago a moment was, in two units at most."""
    then = moment(text)
    return lasted((datetime.now(UTC) - then).total_seconds()) if then else ""


def between(begin: str | None, end: str | None) -> str:
    """Returns how long something took, or has taken so far."""
    started = moment(begin)
    if started is None:
        return ""
    return lasted(((moment(end) or datetime.now(UTC)) - started).total_seconds())


def lasted(seconds: float) -> str:
    """Returns a duration in two units at most: ``2m05s``, ``3h10m``, ``0.4s``."""
    if seconds < 10:  # noqa: PLR2004 - tenths matter only here
        return f"{max(seconds, 0):.1f}s"
    rest = round(seconds)
    for place, (unit, size) in enumerate(_UNITS):
        if rest >= size:
            first = f"{rest // size}{unit}"
            if place + 1 == len(_UNITS):
                return first
            lower, lower_size = _UNITS[place + 1]
            second = rest % size // lower_size
            return f"{first}{second:02d}{lower}" if second else first
    return "0s"


def show_changes(changes: list[dict[str, Any]], empty: str) -> None:
    """Prints which fields of objects would be others; ``empty`` when none would."""
    show_table(
        ["object", "field", "before", "after"],
        [[one["object"], one["field"], one["before"], one["after"]] for one in changes],
        empty=empty,
    )
