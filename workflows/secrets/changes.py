"""Writes down what a person did with a secret and brings a new value to everyone who uses it."""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.secrets.plans import RotationPlanActivities
from domain import ids
from domain.deliveries.secrets import FindConsumers, SecretChange, SecretChanged
from domain.records import FactResult
from domain.secrets.places import scope_of
from workflows.common.calls import QUICK, call
from workflows.common.facts import Facts
from workflows.secrets.consumers import Consumers


@workflow.defn
class SecretChangeWorkflow:
    """One thing a person did with one secret.

    The fact comes first. Nothing to undo: what is delivered is what is in use, and delivering it
    again changes nothing. Cancelled = whoever was not reached yet keeps what it has.
    """

    @workflow.run
    async def run(self, change: SecretChange) -> SecretChanged:
        """Ends when all pods that are to begin anew are ready."""
        facts = Facts(change.organization, f"secret {change.path}", change.trigger)
        scope = scope_of(change.path)
        facts.is_about(project=scope.project, environment=scope.environment)
        asked = change.action == "secret.asked"
        facts.add(
            change.action,
            after=f"version {change.version}" if change.version else "",
            reason=change.reason,
            result=FactResult.ASKED if asked else FactResult.DONE,
        )
        if not change.delivers:
            await facts.write_to_the_end()
            return SecretChanged()
        try:
            await facts.write()
            return await _brought(change)
        except (FailureError, asyncio.CancelledError) as failure:
            if is_cancelled_exception(failure):
                facts.add_cancel("secret.delivery-cancelled")
                await facts.write_to_the_end()
            raise


async def _brought(change: SecretChange) -> SecretChanged:
    """Brings the version in use to all who use the secret."""
    planes = await call(
        RotationPlanActivities.list_planes,
        FindConsumers(organization=change.organization, path=change.path),
        f"which planes {change.organization} has",
        queue=ids.CONTROL_QUEUE,
        options=QUICK,
    )
    consumers = Consumers(change.organization, change.path)
    await consumers.find(planes.queues)
    await consumers.deliver()
    if change.restarts:
        await consumers.restart(change.version)
    return SecretChanged(consumers=consumers.names)
