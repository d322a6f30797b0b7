"""Shows, keeps and compares the results of a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.machine import Machine
from benchmarks.samples import Samples, ratio

_NONE = "-"


class NotAReport(Exception):
    """The file to compare with was not written by a benchmark run."""


@dataclass(frozen=True, slots=True)
class Report:
    """Where and what was measured."""

    stack: str
    machine: Machine
    measurements: Sequence[Samples]

    def write(self, path: Path) -> None:
        """Writes the report as JSON; creates the folder."""
        content = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "stack": self.stack,
            "machine": asdict(self.machine),
            "measurements": [one.to_json() for one in self.measurements],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n")


def read_measurements(path: Path) -> dict[str, Samples]:
    """Reads the measurements of an earlier report, by name.

    Raises:
        NotAReport: The file is missing or something else.
    """
    try:
        raw: list[dict[str, Any]] = json.loads(path.read_text())["measurements"]
        found = [Samples.from_json(one) for one in raw]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotAReport(f"{path} is not a report of a benchmark run: {error!r}") from error
    return {one.name: one for one in found}


def table(report: Report, before: dict[str, Samples] | None = None) -> Table:
    """Returns the measurements for people; with ``before``, how many times as long it takes now."""
    shown = Table(title=str(report.machine), title_justify="left")
    shown.add_column("measurement")
    for title in ("runs", "p50 ms", "p95 ms", "budget p50 / p95", "budget"):
        shown.add_column(title, justify="right")
    for title in ("p50 now / then", "p95 now / then") if before is not None else ():
        shown.add_column(title, justify="right")
    for one in report.measurements:
        cells = [one.name, str(len(one.seconds)), _ms(one.p50), _ms(one.p95)]
        cells += [f"{_ms(one.budget.p50)} / {_ms(one.budget.p95)}", _verdict(one)]
        cells += _ratios(one, before) if before is not None else []
        shown.add_row(*cells)
    return shown


def _verdict(one: Samples) -> str:
    if one.budget.p50 is None and one.budget.p95 is None:
        return _NONE
    return "[red]over[/red]" if one.is_over else "[green]kept[/green]"


def _ratios(one: Samples, before: dict[str, Samples]) -> list[str]:
    then = before.get(one.name)
    if then is None:
        return [_NONE, _NONE]
    return [_times(ratio(one.p50, then.p50)), _times(ratio(one.p95, then.p95))]


def _times(value: float | None) -> str:
    return _NONE if value is None else f"{value:.2f}"


def _ms(seconds: float | None) -> str:
    return _NONE if seconds is None else f"{seconds * 1000:.1f}"
