from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.machine import Machine
from benchmarks.report import NotAReport, Report, read_measurements, table
from benchmarks.samples import Budget, Figure, Measurement, Samples, percentile, ratio

MACHINE = Machine(2, 8.0, "6.1", "3.11", (0.1, 0.2, 0.3))


def told(report: Report, before: dict[str, Measurement] | None) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table(report, before))
    return capture.get()


@pytest.mark.parametrize(
    ("percent", "expected"), [(1, 1.0), (50, 5.0), (51, 6.0), (90, 9.0), (95, 10.0), (100, 10.0)]
)
def test_a_percentile_is_the_measured_value_of_nearest_rank(
    percent: float, expected: float
) -> None:
    values = [float(value) for value in (7, 3, 10, 1, 9, 2, 8, 4, 6, 5)]
    assert percentile(values, percent) == expected


def test_all_percentiles_of_one_value_are_that_value() -> None:
    assert {percentile([3.0], percent) for percent in (1, 50, 95, 100)} == {3.0}


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_there_is_no_percentile_of_nothing_nor_beyond_all(
    values: list[float], percent: float
) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, percent)


def test_a_ratio_above_one_means_that_it_takes_longer_now() -> None:
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(1.0, 2.0) == 0.5
    assert ratio(1.0, 0.0) is None


@pytest.mark.parametrize(
    ("budget", "over"),
    [
        (Budget(), False),
        (Budget(p50=2.0, p95=3.0), False),
        (Budget(p50=1.9), True),
        (Budget(p50=2.0, p95=2.9), True),
    ],
)
def test_a_budget_is_exceeded_by_any_of_its_percentiles(budget: Budget, over: bool) -> None:
    assert Samples("x", (1.0, 2.0, 3.0), budget).is_over is over


def test_a_written_report_is_read_again_and_compared(tmp_path: Path) -> None:
    file = tmp_path / "new folder" / "bench.json"
    then = Samples("start", (2.0, 4.0), Budget(p50=1.0))
    Report("demo", MACHINE, [then]).write(file)
    assert read_measurements(file) == {"start": then}

    now = Report("demo", MACHINE, [Samples("start", (1.0, 5.0)), Samples("new", (1.0,))])
    row = next(line for line in told(now, read_measurements(file)).splitlines() if "start" in line)
    assert "0.50" in row
    assert "1.25" in row


def test_the_table_has_no_ratios_without_an_earlier_report() -> None:
    text = told(Report("demo", MACHINE, [Samples("start", (0.0125,))]), None)
    assert "12.5" in text
    assert "then" not in text


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"measurements": [{"name": "x"}]})])
def test_another_file_is_not_taken_for_a_report(tmp_path: Path, content: str) -> None:
    file = tmp_path / "old.json"
    file.write_text(content)
    with pytest.raises(NotAReport, match=r"old\.json"):
        read_measurements(file)


@pytest.mark.parametrize(
    ("figure", "over"),
    [
        (Figure("x", 5, "s"), False),
        (Figure("x", 5, "s", at_most=5), False),
        (Figure("x", 5.1, "s", at_most=5), True),
        (Figure("x", 700, "/min", at_least=700), False),
        (Figure("x", 699, "/min", at_least=700), True),
    ],
)
def test_a_figure_keeps_a_greatest_or_a_least_value(figure: Figure, over: bool) -> None:
    assert figure.is_over is over


def test_figures_are_written_read_and_compared_like_times(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    then = Figure("rate", 100.0, "/min", at_least=700)
    Report("demo", MACHINE, [then]).write(file)
    assert read_measurements(file) == {"rate": then}

    text = told(Report("demo", MACHINE, [Figure("rate", 250.0, "/min")]), read_measurements(file))
    assert "250.0 /min" in text
    assert "2.50" in text
