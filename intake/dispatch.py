"""Carries decisions out through Temporal."""

from __future__ import annotations

import logging
from typing import Any, assert_never

from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain.deliveries import BuildRequest
from domain.deliveries.promotions import PromotionRequest
from intake.bindings import Deploy, Promote
from intake.configurations import ReleaseConfiguration
from intake.decisions import (
    Decision,
    RequestBuild,
    StartBuild,
    TellFreezes,
    TellLane,
    UpgradeClass,
)
from intake.planes import CheckObservability, CheckPlane
from intake.rotations import ForgetTimetable, KeepSweeps, KeepTimetable
from intake.teardown import TearDown
from intake.tenants import SetUpTenant
from workflows.common.waking import tell_freezes
from workflows.configurations.starting import signal_configuration
from workflows.health.timetable import keep_sweeps
from workflows.planes.starting import signal_observability_check, signal_plane_check
from workflows.promotions.starting import signal_promotion
from workflows.secrets.timetable import forget_timetable, keep_timetable
from workflows.starting import (
    request_build,
    signal_deployment,
    start_build,
    start_class_upgrade,
    tell_build_lane,
)
from workflows.teardown.starting import signal_teardown
from workflows.tenants.starting import signal_tenant

_LOG = logging.getLogger(__name__)


async def dispatch(client: Client, decision: Decision) -> None:
    """Starts or signals the procedure that was decided on.

    Idempotent: ids are made of the resource and its generation, and what was started already is
    left alone.

    Raises:
        RPCError: Temporal did not take it; it may be sent again.
        InvalidRequest: A name cannot be part of an id.
    """
    match decision:
        case StartBuild(request):
            build = await start_build(client, request, again="never")
            if not build.existing:
                _LOG.info("started %s", build.workflow_id)
        case RequestBuild(request, key):
            await _request(client, request, key)
        case Deploy(request):
            deployment = await signal_deployment(client, request)
            _LOG.info("asked %s for %s", deployment.id, request.request_id)
        case Promote(requests):
            await _promote(client, requests)
        case TellLane() | TellFreezes() | KeepSweeps() | KeepTimetable() | ForgetTimetable():
            await _tell(client, decision)
        case CheckPlane() | CheckObservability():
            await _look_after(client, decision)
        case SetUpTenant() | TearDown():
            await _keep(client, decision)
        case UpgradeClass() | ReleaseConfiguration():
            await _bring(client, decision)
        case _:
            assert_never(decision)


async def _look_after(client: Client, decision: CheckPlane | CheckObservability) -> None:
    if isinstance(decision, CheckPlane):
        asked: WorkflowHandle[Any, None] = await signal_plane_check(client, decision.request)
    else:
        asked = await signal_observability_check(client, decision.request)
    _LOG.info("asked for %s", asked.id)


async def _tell(
    client: Client,
    decision: TellLane | TellFreezes | KeepSweeps | KeepTimetable | ForgetTimetable,
) -> None:
    if isinstance(decision, ForgetTimetable):
        if await forget_timetable(client, decision.organization, decision.name):
            _LOG.info("timetable of rotation %s went with it", decision.name)
        return
    if isinstance(decision, KeepSweeps):
        if await keep_sweeps(client, decision.environment):
            _LOG.info("looks at environment %s are as it says", decision.environment.name)
        return
    if isinstance(decision, KeepTimetable):
        if await keep_timetable(client, decision.rotation):
            _LOG.info("timetable of rotation %s is as it says", decision.rotation.name)
        return
    organization = decision.organization
    if isinstance(decision, TellFreezes):
        told = await tell_freezes(client, organization)
        _LOG.info("told %d that wait in %s that a freeze window changed", told, organization)
    elif await tell_build_lane(client, organization):
        _LOG.info("told the builds of %s: %d may run", organization, decision.concurrency)


async def _keep(client: Client, decision: SetUpTenant | TearDown) -> None:
    if isinstance(decision, TearDown):
        asked = (await signal_teardown(client, decision.request)).id
    else:
        tenant = decision.request
        await _tell(client, TellLane(tenant.organization, decision.concurrency))
        asked = (await signal_tenant(client, tenant)).id
    _LOG.info("asked for %s", asked)


async def _bring(client: Client, decision: UpgradeClass | ReleaseConfiguration) -> None:
    if isinstance(decision, UpgradeClass):
        started = (await start_class_upgrade(client, decision.request)).id
    else:
        started = (await signal_configuration(client, decision.request)).id
    _LOG.info("asked %s for %s", started, decision.revision)


async def _promote(client: Client, requests: tuple[PromotionRequest, ...]) -> None:
    for one in requests:
        promotion = await signal_promotion(client, one)
        _LOG.info("asked %s for %s", promotion.id, one.artifact)


async def _request(client: Client, request: BuildRequest, key: str) -> None:
    try:
        handle = await request_build(client, request, key)
    except WorkflowAlreadyStartedError as known:
        _LOG.debug("%s was carried out already", known.workflow_id)
    else:
        _LOG.info("asked for %s", handle.id)
