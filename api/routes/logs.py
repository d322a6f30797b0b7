"""Logs of builds from the object store and of components from their pods."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from api.access import AccessDep
from api.dependencies import ClusterDep, ServicesDep
from api.logs.builds import BuildLog
from api.logs.components import ComponentLog
from api.serving.streams import begun, until
from api.views.components import component_of
from clients.kubernetes import Cluster
from domain import ids
from domain.deliveries.logs import LogRequest
from domain.durations import parse_duration
from domain.errors import InvalidRequest, NotFound
from domain.policies.past_logs import LONGEST
from domain.resources import Action

router = APIRouter(prefix="/v1", tags=["logs"])
_PLAIN = "text/plain; charset=utf-8"
Follow = Annotated[bool, Query(description="Go on while more is written.")]


@router.get(
    "/builds/{organization}/{component}/{commit}/logs",
    summary="Log of a build",
    response_class=StreamingResponse,
)
async def build_log(
    *,
    organization: str,
    component: str,
    commit: str,
    access: AccessDep,
    services: ServicesDep,
    follow: Follow = False,
) -> StreamingResponse:
    """Sends the archived log, also while the build runs; `commit` may be its first 12 characters.

    With `follow` the answer ends when the log is complete.
    """
    await access.organization(organization)
    owner = await component_of(await services.cluster(), organization, component)
    await access.require(organization, Action.LOGS, project=owner.project)
    log = BuildLog(services, organization, component, commit)
    return _stream(await begun(log.follow() if follow else log.now()))


@router.get(
    "/components/{organization}/{component}/logs",
    summary="Log of a component in an environment",
    response_class=StreamingResponse,
)
async def component_log(
    *,
    organization: str,
    component: str,
    environment: str,
    access: AccessDep,
    cluster: ClusterDep,
    services: ServicesDep,
    follow: Follow = False,
    tail: Annotated[int, Query(ge=1, le=10_000, description="Last lines of each pod.")] = 200,
    previous: Annotated[
        bool, Query(description="Of the instances before the last restart.")
    ] = False,
    since: Annotated[
        str, Query(max_length=24, description="Of so long, such as `2h`, instead of last lines.")
    ] = "",
    project: Annotated[
        str, Query(max_length=63, description="Of a component that is gone: whose it was.")
    ] = "",
) -> StreamingResponse:
    """Sends the lines of all pods of the component, each with the pod's name before it.

    The worker of the plane reads them, so it works for every plane. At most 16 MB are sent at once;
    with `follow` lines arrive within about two seconds. With `since` pods that are gone come first,
    where the log store of the plane keeps what they wrote; also when the component is not deployed
    there any more, and with `project` when it is gone altogether.
    """
    await access.organization(organization)
    owner = project or await _owner(cluster, organization, component, since)
    await access.require(organization, Action.LOGS, project=owner, environment=environment)
    request = LogRequest(
        organization=organization,
        project=ids.slug(owner, "project"),
        component=ids.slug(component, "component"),
        environment=ids.slug(environment, "environment"),
        look="",
        tail=tail,
        previous=previous,
        since=_since(since),
    )
    log = ComponentLog(await services.temporal(), services.objects(), request)
    # What an instance that is over wrote does not go on.
    lines = log.follow() if follow and not previous else log.now()
    return _stream(until(await begun(lines), services.stopping))


async def _owner(cluster: Cluster, organization: str, component: str, since: str) -> str:
    try:
        return (await component_of(cluster, organization, component)).project
    except NotFound as missing:
        if not since:
            raise
        advice = "of one that was deleted say whose it was (`--project NAME`)"
        raise NotFound(f"{missing.message}; {advice}") from None


def _since(duration: str) -> str:
    """Returns when a time began that ends now; empty = none is asked for."""
    lasts = parse_duration(duration)
    if lasts > timedelta(days=LONGEST):
        raise InvalidRequest(f"{duration} is longer than {LONGEST}d, which may be asked for")
    return f"{datetime.now(UTC) - lasts:%Y-%m-%dT%H:%M:%SZ}" if lasts else ""


def _stream(parts: AsyncGenerator[bytes, None]) -> StreamingResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(parts, media_type=_PLAIN, headers=headers)
