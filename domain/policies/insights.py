"""The four measures of delivery, by project and environment. Pure.

They are those of DORA (https://dora.dev/guides/dora-metrics-four-keys/), counted from the history
of deployments. A *change* is a deployment that rolled something out because a person or the
platform asked for it: not a suspension, a removal, a put-back of drift, nor one that found nothing
changed.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.phases import Phase
from domain.records import DeploymentEntry

_CHANGES = ("deploy", "promotion")
_ROLLBACK = "rollback"
_FAILED = (Phase.FAILED, Phase.ERRORED)
_DAY = 86_400.0
_LEAST_FOR_QUANTILES = 2
_TENTHS = 10


class Spread(BaseModel):
    """Median and 90th percentile of some durations, in seconds. None = there were none."""

    model_config = ConfigDict(frozen=True)

    count: int = 0
    median: float | None = None
    p90: float | None = None


class Insights(BaseModel):
    """How delivery went in one environment of one project."""

    model_config = ConfigDict(frozen=True)

    project: str
    environment: str
    changes: int
    """Changes that ended, whether they succeeded or not; those a person cancelled do not count."""
    deployments_per_day: float
    """Changes that succeeded, by day of the period."""
    lead_time: Spread
    """From the request of the build until a change was ready: all parts its history knows."""
    change_failure_rate: float | None
    """Changes that failed or were rolled back, among all. None = there were no changes."""
    time_to_restore: Spread
    """From the start of a deployment that failed, or from the request of a rollback, until what ran
    before was ready again."""


def insights(
    entries: Iterable[DeploymentEntry], since: datetime, until: datetime
) -> tuple[Insights, ...]:
    """Returns the measures of each place in which something ended within the period, by name."""
    places: defaultdict[tuple[str, str], list[DeploymentEntry]] = defaultdict(list)
    for entry in entries:
        if since <= entry.finished < until:
            places[entry.project, entry.environment].append(entry)
    days = max((until - since).total_seconds() / _DAY, 1 / _DAY)
    return tuple(
        _of_place(project, environment, found, days)
        for (project, environment), found in sorted(places.items())
    )


def usual_times(entries: Iterable[DeploymentEntry]) -> dict[str, float]:
    """Returns the median of each part of the lead time, in seconds, of changes that succeeded.

    A part that never happened is not among them.
    """
    parts: defaultdict[str, list[float]] = defaultdict(list)
    for one in entries:
        if one.action in _CHANGES and one.changed and one.phase is Phase.SUCCEEDED:
            for name, seconds in one.lead_time.model_dump().items():
                if seconds is not None:
                    parts[name].append(seconds)
    return {name: round(statistics.median(found), 3) for name, found in sorted(parts.items())}


def _of_place(
    project: str, environment: str, entries: list[DeploymentEntry], days: float
) -> Insights:
    changes = [one for one in entries if one.action in _CHANGES and one.changed]
    succeeded = [one for one in changes if one.phase is Phase.SUCCEEDED]
    failed = [one for one in changes if one.phase in _FAILED]
    rollbacks = [one for one in entries if one.action == _ROLLBACK and one.phase is Phase.SUCCEEDED]
    ended = len(succeeded) + len(failed)
    bad = len(failed) + len(_rolled_back(succeeded, rollbacks))
    return Insights(
        project=project,
        environment=environment,
        changes=ended,
        deployments_per_day=round(len(succeeded) / days, 3),
        lead_time=_spread(one.lead_time.total for one in succeeded),
        change_failure_rate=round(bad / ended, 3) if ended else None,
        time_to_restore=_spread(
            [
                *(_seconds(one.started, one.finished) for one in failed if one.restored),
                *(_seconds(one.asked or one.started, one.finished) for one in rollbacks),
            ]
        ),
    )


def _rolled_back(
    succeeded: Iterable[DeploymentEntry], rollbacks: Iterable[DeploymentEntry]
) -> set[str]:
    """Returns the keys of the changes whose release a rollback left; each counts once."""
    left = {(one.component, one.from_release) for one in rollbacks if one.from_release}
    return {one.key for one in succeeded if (one.component, one.release) in left}


def _seconds(start: datetime, end: datetime) -> float:
    return max((end - start).total_seconds(), 0.0)


def _spread(durations: Iterable[float]) -> Spread:
    known = sorted(durations)
    if not known:
        return Spread()
    p90 = known[-1]
    if len(known) >= _LEAST_FOR_QUANTILES:
        p90 = statistics.quantiles(known, n=_TENTHS, method="inclusive")[-1]
    return Spread(count=len(known), median=round(statistics.median(known), 3), p90=round(p90, 3))
