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
from benchmarks.samples import Figure, Measurement, Samples, measurement_from_json, ratio

_NONE = "-"


class NotAReport(Exception):
    """The file to compare with was not written by a benchmark run."""


@dataclass(frozen=True, slots=True)
class Report:
    """Where and what was measured."""

    stack: str
    machine: Machine
    measurements: Sequence[Measurement]
    missing: Sequence[str] = ()
    """What could not be measured, and why."""

    def write(self, path: Path) -> None:
        """Writes the report as JSON; creates the folder."""
        content = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "stack": self.stack,
            "machine": asdict(self.machine),
            "measurements": [one.to_json() for one in self.measurements],
            "missing": list(self.missing),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n")


def read_measurements(path: Path) -> dict[str, Measurement]:
    """Reads the measurements of an earlier report, by name.

    Raises:
        NotAReport: The file is missing or something else.
    """
    try:
        raw: list[dict[str, Any]] = json.loads(path.read_text())["measurements"]
        found = [measurement_from_json(one) for one in raw]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotAReport(f"{path} is not a report of a benchmark run: {error!r}") from error
    return {one.name: one for one in found}


def table(report: Report, before: dict[str, Measurement] | None = None) -> Table:
    """Returns the measurements for people; with ``before``, how many times as much it is now."""
    shown = Table(title=f"stack {report.stack}: {report.machine}", title_justify="left")
    shown.add_column("measurement")
    for title in ("runs", "value or p50", "p95", "p99", "budget", "kept"):
        shown.add_column(title, justify="right")
    for title in ("now / then", "p95 now / then") if before is not None else ():
        shown.add_column(title, justify="right")
    for one in report.measurements:
        cells = _of_samples(one) if isinstance(one, Samples) else _of_figure(one)
        cells += _ratios(one, before) if before is not None else []
        shown.add_row(one.name, *cells)
    return shown


def _of_samples(one: Samples) -> list[str]:
    has_budget = (one.budget.p50, one.budget.p95) != (None, None)
    budget = f"{_ms(one.budget.p50)} / {_ms(one.budget.p95)}" if has_budget else _NONE
    times = [_ms(value) for value in (one.p50, one.p95, one.p99)]
    return [str(len(one.seconds)), *times, budget, _verdict(one, has_budget=has_budget)]


def _of_figure(one: Figure) -> list[str]:
    budget = _NONE
    if one.at_most is not None:
        budget = f"<= {one.at_most:g} {one.unit}".rstrip()
    elif one.at_least is not None:
        budget = f">= {one.at_least:g} {one.unit}".rstrip()
    value = f"{one.value:.1f} {one.unit}".rstrip()
    return ["", value, "", "", budget, _verdict(one, has_budget=budget != _NONE)]


def _verdict(one: Measurement, *, has_budget: bool) -> str:
    if not has_budget:
        return _NONE
    return "[red]no[/red]" if one.is_over else "[green]yes[/green]"


def _ratios(one: Measurement, before: dict[str, Measurement]) -> list[str]:
    then = before.get(one.name)
    if isinstance(one, Samples) and isinstance(then, Samples):
        return [_times(ratio(one.p50, then.p50)), _times(ratio(one.p95, then.p95))]
    if isinstance(one, Figure) and isinstance(then, Figure):
        return [_times(ratio(one.value, then.value)), ""]
    return [_NONE, _NONE]


def _times(value: float | None) -> str:
    return _NONE if value is None else f"{value:.2f}"


def _ms(seconds: float | None) -> str:
    return _NONE if seconds is None else f"{seconds * 1000:.1f} ms"
