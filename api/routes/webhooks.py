"""Takes deliveries of Git servers and starts the builds they ask for."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request, Response

from api.dependencies import ServicesDep
from api.kinds import kind_of
from api.operations.orders import accepted
from api.schemas.deliveries import Accepted, WebhookResult
from api.services import Services
from api.serving import metrics
from api.webhooks.pushes import Ignored, Push, normalised, read
from api.webhooks.signatures import Provider, secret_of, verify
from domain.deliveries import BuildRequest, Trigger, TriggerKind
from domain.errors import DependencyUnavailable, InvalidRequest
from domain.resources import Component, parse_as
from workflows.starting import start_build

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
_LOG = structlog.stdlib.get_logger(__name__)
_SYNC_SECONDS = 5


@router.post("/{organization}/{provider}", summary="Take a delivery of a Git server")
async def deliver(
    organization: str,
    provider: Provider,
    request: Request,
    response: Response,
    services: ServicesDep,
) -> WebhookResult:
    """Builds the components whose repository and branch were pushed to (202), or nothing (200).

    Signed with the organization's secret; needs no token. Safe to deliver again: the commit names
    the build, so the answer is the same and nothing is built twice.
    """
    body = await request.body()
    secret = await asyncio.to_thread(secret_of, services.settings.api.webhook_secrets, organization)
    verify(provider, request.headers, body, secret)
    delivery = read(provider, request.headers, body)
    if isinstance(delivery, Ignored):
        metrics.WEBHOOKS.labels(provider.value, "ignored").inc()
        return WebhookResult(outcome=delivery.why)
    builds = await _start(services, organization, delivery)
    metrics.WEBHOOKS.labels(provider.value, "builds" if builds else "no component").inc()
    if not builds:
        return WebhookResult(outcome=f"no component is built from {delivery.branch} of that source")
    response.status_code = HTTPStatus.ACCEPTED
    return WebhookResult(outcome="building", builds=builds)


async def _start(services: Services, organization: str, push: Push) -> tuple[Accepted, ...]:
    client = await services.temporal()
    started: list[Accepted] = []
    for component in await _concerned(services, organization, push):
        build = await start_build(
            client,
            BuildRequest(
                organization=organization,
                component=component.name,
                revision=push.branch,
                commit=push.commit,
                branch=push.branch,
                trigger=Trigger(
                    kind=TriggerKind.WEBHOOK, actor=push.actor, reference=push.delivery
                ),
            ),
            again="never",
        )
        started.append(accepted(build.workflow_id, build.run_id, existing=build.existing))
    return tuple(started)


async def _concerned(services: Services, organization: str, push: Push) -> list[Component]:
    """The components of the organization that are built from what was pushed, by name."""
    components = (await services.watches()).of(kind_of(Component), organization)
    try:
        async with asyncio.timeout(_SYNC_SECONDS):
            await components.synced()
    except TimeoutError as error:
        raise DependencyUnavailable("the components cannot be read at the moment") from error
    found = [_readable(obj) for _, obj in sorted(components.store.items())]
    return [one for one in found if one is not None and _is_meant(one, push)]


def _readable(obj: dict[str, object]) -> Component | None:
    """One component that cannot be read must not keep the others from being built."""
    try:
        return parse_as(Component, obj)
    except InvalidRequest as error:
        _LOG.warning("component left out", reason=error.message)
        return None


def _is_meant(component: Component, push: Push) -> bool:
    build = component.build
    return (
        build is not None
        and component.spec.auto_build
        and not component.is_deleted
        and build.branch == push.branch
        and normalised(build.repository) in push.repositories
    )
