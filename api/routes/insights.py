"""How delivery goes, counted from the history of deployments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.access import AccessDep
from api.dependencies import ServicesDep
from api.schemas.deliveries import View
from clients.records import HistoryFilter, Records
from domain.policies.insights import insights as measured
from domain.records import DeploymentEntry

router = APIRouter(prefix="/v1")
Name = Annotated[str, Query(max_length=300)]
_PAGE = 500
_MOST = 20_000
"""Deployments that are counted at most: an answer must not read a database of years."""


class SpreadView(View):
    """Median and 90th percentile in seconds; null = nothing to count."""

    count: int
    median: float | None
    p90: float | None


class InsightsView(View):
    """The four measures in one environment of one project."""

    project: str
    environment: str
    changes: int
    deployments_per_day: float
    lead_time: SpreadView
    change_failure_rate: float | None
    time_to_restore: SpreadView


class InsightsList(View):
    """The measures of each place, by name."""

    since: datetime
    until: datetime
    truncated: bool = Field(description="There was more in the period than is counted at once.")
    items: tuple[InsightsView, ...]


@router.get("/insights", tags=["history"], summary="The four DORA measures by place")
async def insights(
    *,
    access: AccessDep,
    services: ServicesDep,
    organization: Name,
    project: Name = "",
    environment: Name = "",
    days: Annotated[int, Query(ge=1, le=366, description="Length of the period, to now.")] = 30,
) -> InsightsList:
    """Tells deployment frequency, lead time, change failure rate and time to restore.

    Deployments in places the caller may not read are left out.
    """
    owner = await access.organization(organization)
    until = datetime.now(UTC)
    since = until - timedelta(days=days)
    wanted = HistoryFilter(organization, project, environment=environment)
    entries, truncated = await _ended_since(services.records(), wanted, since)
    seen = [one for one in entries if access.sees(owner, one.project, one.environment)]
    return InsightsList(
        since=since,
        until=until,
        truncated=truncated,
        items=tuple(
            InsightsView.model_validate(one.model_dump()) for one in measured(seen, since, until)
        ),
    )


async def _ended_since(
    records: Records, wanted: HistoryFilter, since: datetime
) -> tuple[list[DeploymentEntry], bool]:
    """Reads the history backwards as far as the period goes; True = it goes further than read."""
    entries: list[DeploymentEntry] = []
    before = 0
    while len(entries) < _MOST:
        page = await records.history(
            HistoryFilter(
                wanted.organization, wanted.project, environment=wanted.environment, before=before
            ),
            _PAGE,
        )
        entries += [one.entry for one in page]
        if len(page) < _PAGE or all(one.entry.finished < since for one in page):
            return entries, False
        before = page[-1].number
    return entries, True
