"""What lists of deployments are filtered by."""

from __future__ import annotations

from temporalio.common import SearchAttributePair, TypedSearchAttributes

from domain.deliveries import DeployRequest
from domain.phases import Phase
from runtime import search_attributes as attributes


def deployment_attributes(
    request: DeployRequest, phase: Phase = Phase.RUNNING
) -> TypedSearchAttributes:
    """Returns what lists of operations are filtered by; given at the start, as an upsert costs."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(attributes.KIND, "deploy"),
            SearchAttributePair(attributes.ORGANIZATION, request.organization),
            SearchAttributePair(attributes.COMPONENT, request.component),
            SearchAttributePair(attributes.ENVIRONMENT, request.environment),
            SearchAttributePair(
                attributes.ACTOR, request.trigger.actor or request.trigger.kind.value
            ),
            SearchAttributePair(attributes.PHASE, phase.value),
        ]
    )
