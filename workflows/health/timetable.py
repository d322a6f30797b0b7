"""Has environments looked at by the clock: a Temporal Schedule for each that asks for it."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from domain import ids
from domain.deliveries.sweeps import SweepRequest
from domain.resources import Environment
from domain.resources.environment import HealthSchedule
from runtime import search_attributes as attributes
from workflows.common.timetables import drop, keep
from workflows.health.sweep import SweepWorkflow

_MOST_JITTER = timedelta(seconds=30)


async def keep_sweeps(client: Client, environment: Environment) -> bool:
    """Makes the schedule of an environment as its resource says; False = it was so already.

    Idempotent. One that asks for no looks, or is deleted, has no schedule; one whose looks are
    suspended keeps it paused, and so does one that a person paused.
    """
    name = ids.sweep_id(environment.organization, environment.name)
    if environment.spec.health is None or environment.is_deleted:
        return await drop(client, name)
    return await keep(client, name, _schedule(environment, environment.spec.health, name))


def _schedule(environment: Environment, health: HealthSchedule, name: str) -> Schedule:
    every = timedelta(seconds=health.every_seconds)
    where = environment.organization
    return Schedule(
        action=ScheduleActionStartWorkflow(
            SweepWorkflow.run,
            SweepRequest(organization=where, environment=environment.name),
            id=name,
            task_queue=ids.ORCHESTRATION_QUEUE,
            static_summary=f"look at the health of {environment.name}",
            typed_search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(attributes.KIND, attributes.SWEEP),
                    SearchAttributePair(attributes.ORGANIZATION, where),
                    SearchAttributePair(attributes.ENVIRONMENT, environment.name),
                ]
            ),
        ),
        spec=ScheduleSpec(
            intervals=[ScheduleIntervalSpec(every=every)], jitter=min(every / 10, _MOST_JITTER)
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
        state=ScheduleState(
            note=f"looks at the health of {environment.name} of {where}", paused=health.suspended
        ),
    )
