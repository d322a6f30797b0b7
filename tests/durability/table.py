"""What a sweep found, as a table: runs (one a point), passes, recovery time."""

from __future__ import annotations

from collections.abc import Iterable

from tests.durability.sweep import Outcome


def table(outcomes: Iterable[Outcome]) -> str:
    """One line a scenario and one for all; recovery in seconds from the kill."""
    by_scenario: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_scenario.setdefault(outcome.scenario, []).append(outcome)
    rows = [(name, found) for name, found in sorted(by_scenario.items())]
    rows.append(("all", [one for _, found in rows for one in found]))
    lines = [f"{'scenario':<20} {'runs':>7} {'passed':>7} {'p50 s':>7} {'p95 s':>7} {'max s':>7}"]
    for name, found in rows:
        passed = sum(not one.problems for one in found)
        times = sorted(one.recovery for one in found if one.recovery is not None)
        told = " ".join(f"{_percentile(times, share):7.1f}" for share in (0.5, 0.95, 1.0))
        lines.append(f"{name:<20} {len(found):>7} {passed:>7} {told}")
    return "\n".join(lines)


def _percentile(times: list[float], share: float) -> float:
    """The smallest of the times that at least this share of them does not exceed."""
    if not times:
        return float("nan")
    position = max(0, -(-len(times) * share // 1) - 1)
    return times[int(position)]
