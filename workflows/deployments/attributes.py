"""What lists of deployments, promotions and rollbacks are filtered by."""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from domain.deliveries import DeployRequest
from domain.deliveries.appointments import DeployAtRequest
from domain.deliveries.promotions import PromotionRequest
from domain.deliveries.rollbacks import RollbackRequest
from domain.phases import Phase
from runtime import search_attributes as attributes


def deployment_attributes(
    request: DeployRequest, phase: Phase = Phase.RUNNING
) -> TypedSearchAttributes:
    """Returns what lists of operations are filtered by; given at the start, as an upsert costs."""
    return _attributes("deploy", request, phase)


def appointment_attributes(
    request: DeployAtRequest, phase: Phase = Phase.RUNNING
) -> TypedSearchAttributes:
    """Returns what deployments that wait for their time are filtered by."""
    return _attributes("deploy-at", request, phase)


def promotion_attributes(
    request: PromotionRequest, phase: Phase = Phase.RUNNING
) -> TypedSearchAttributes:
    """Returns what promotions are filtered by."""
    return _attributes("promotion", request, phase)


def rollback_attributes(
    request: RollbackRequest, phase: Phase = Phase.RUNNING
) -> TypedSearchAttributes:
    """Returns what rollbacks are filtered by."""
    return _attributes("rollback", request, phase)


def shown(given: TypedSearchAttributes) -> None:
    """Tells visibility what a run is about, unless its start told it. In a workflow only."""
    if workflow.info().typed_search_attributes.get(attributes.KIND) is None:
        workflow.upsert_search_attributes([one.key.value_set(one.value) for one in given])


def _attributes(
    kind: str,
    request: DeployRequest | DeployAtRequest | PromotionRequest | RollbackRequest,
    phase: Phase,
) -> TypedSearchAttributes:
    return TypedSearchAttributes(
        [
            SearchAttributePair(attributes.KIND, kind),
            SearchAttributePair(attributes.ORGANIZATION, request.organization),
            SearchAttributePair(attributes.COMPONENT, request.component),
            SearchAttributePair(attributes.ENVIRONMENT, request.environment),
            SearchAttributePair(
                attributes.ACTOR, request.trigger.actor or request.trigger.kind.value
            ),
            SearchAttributePair(attributes.PHASE, phase.value),
        ]
    )
