"""What was deployed when and by whom, what differs, and the audit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.access import Access, AccessDep
from api.dependencies import ServicesDep
from api.product import product_version
from api.schemas.records import (
    AuditList,
    AuditVerification,
    DifferenceView,
    FactView,
    HistoryList,
    HistoryView,
    ReleaseDifference,
)
from api.views.records import Compared, compare, find, verified
from clients.head_keys import HeadKeys
from clients.records import FactFilter, HistoryFilter
from domain.records import PLATFORM
from domain.records.exports import cef_line, json_line
from domain.resources import Action

router = APIRouter(prefix="/v1")
Limit = Annotated[int, Query(ge=1, le=500)]
Before = Annotated[int, Query(ge=0, description="Page on: only rows with a smaller number.")]
Name = Annotated[str, Query(max_length=300)]


class ExportFormat(StrEnum):
    """How facts are exported."""

    JSON_LINES = "jsonl"
    CEF = "cef"


@router.get("/history", tags=["history"], summary="Deployments that ended, newest first")
async def history(
    *,
    access: AccessDep,
    services: ServicesDep,
    organization: Name,
    component: Name = "",
    environment: Name = "",
    project: Name = "",
    limit: Limit = 50,
    before: Before = 0,
) -> HistoryList:
    """Tells who brought what where, why, from what, how long it took and how it ended.

    Deployments in places the caller may not read are left out.
    """
    owner = await access.organization(organization)
    wanted = HistoryFilter(organization, project, component, environment, before)
    rows = await services.records().history(wanted, limit)
    seen = (one for one in rows if access.sees(owner, one.entry.project, one.entry.environment))
    return HistoryList(
        items=tuple(HistoryView.of(one) for one in seen),
        next_before=rows[-1].number if len(rows) == limit else 0,
    )


@router.get("/history/diff", tags=["history"], summary="What differs between two deployments")
async def diff(
    *,
    access: AccessDep,
    services: ServicesDep,
    organization: Name,
    older: Annotated[str, Query(alias="from", max_length=300)],
    newer: Annotated[str, Query(alias="to", max_length=300)],
) -> ReleaseDifference:
    """Compares two deployments, each named by its number, its resource or its release."""
    owner = await access.organization(organization)
    found = [await find(services, access, owner, name) for name in (older, newer)]
    compared: Compared = await compare(services, organization, found[0], found[1])
    return ReleaseDifference(
        older=HistoryView.of(found[0]),
        newer=HistoryView.of(found[1]),
        differences=tuple(DifferenceView(**one.model_dump()) for one in compared.differences),
        note=compared.note,
    )


@router.get("/audit", tags=["audit"], summary="Audit facts, newest first")
async def audit(
    *,
    access: AccessDep,
    services: ServicesDep,
    organization: Name,
    component: Name = "",
    environment: Name = "",
    actor: Name = "",
    action: Annotated[
        str, Query(max_length=300, description="Whole, or a beginning: `deployment.`")
    ] = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: Limit = 50,
    before: Before = 0,
) -> AuditList:
    """Tells who did what, on whose authority, why and with which result. Administrators only.

    The organization `-` is the installation itself.
    """
    await _may_audit(access, organization)
    wanted = FactFilter(
        organization=organization,
        component=component,
        environment=environment,
        actor=actor,
        action=action,
        since=since,
        until=until,
        before=before,
    )
    rows = await services.records().facts(wanted, limit)
    return AuditList(
        items=tuple(FactView.of(row) for row in rows),
        next_before=rows[-1].sequence if len(rows) == limit else 0,
    )


@router.get(
    "/audit/export",
    tags=["audit"],
    summary="The whole chain of an organization",
    response_class=StreamingResponse,
)
async def export(
    *,
    access: AccessDep,
    services: ServicesDep,
    organization: Name,
    form: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.JSON_LINES,
) -> StreamingResponse:
    """Sends every fact from the first on, one a line. JSON lines hold what verifying them needs."""
    await _may_audit(access, organization)
    version = product_version()

    async def lines() -> AsyncIterator[str]:
        async for row in services.records().chain(organization):
            as_json = form is ExportFormat.JSON_LINES
            yield f"{json_line(row) if as_json else cef_line(row, version)}\n"

    media = "application/jsonl" if form is ExportFormat.JSON_LINES else "text/plain"
    return StreamingResponse(lines(), media_type=f"{media}; charset=utf-8")


@router.get("/audit/verify", tags=["audit"], summary="Whether the chain holds")
async def verify(
    *, access: AccessDep, services: ServicesDep, organization: Name
) -> AuditVerification:
    """Reads the whole chain and names every row that was changed, removed or moved.

    Tells as well up to which row it is signed, and each signature that does not stand.
    """
    await _may_audit(access, organization)
    keys = HeadKeys(services.settings.audit.verify_keys)
    return AuditVerification.of(await verified(services.records(), organization, keys))


async def _may_audit(access: Access, organization: str) -> None:
    if organization == PLATFORM:
        access.permit(None, Action.ADMINISTER)
    else:
        await access.require(organization, Action.ADMINISTER)
