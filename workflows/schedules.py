"""What runs by the clock: Temporal Schedules, made by workers when they start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from domain import ids
from domain.deliveries.certificates import RenewalRequest
from domain.deliveries.expiry import ExpiryRequest
from domain.deliveries.wire import Wire
from domain.records import SigningRequest
from workflows.expiry.look import ExpiryLookWorkflow
from workflows.gateways.renewal import CertificateRenewalWorkflow
from workflows.records.audit_signing import SignAuditHeadsWorkflow

_MOST_JITTER = timedelta(seconds=30)


@dataclass(frozen=True)
class Clockwork:
    """What is done by the clock."""

    name: str
    """Id of the schedule, and how ids of its runs begin."""
    run: Any
    """The workflow's ``run``: each has a request of its own type."""
    request: Wire
    does: str
    """For people, as a verb."""
    every: timedelta
    """How often, unless the settings say it."""


AUDIT_SIGNING = Clockwork(
    "sign-audit-heads",
    SignAuditHeadsWorkflow.run,
    SigningRequest(),
    "sign the heads of the audit chains",
    timedelta(minutes=5),
)
EXPIRY_LOOK = Clockwork(
    "look-at-expiries",
    ExpiryLookWorkflow.run,
    ExpiryRequest(),
    "look which secrets expire",
    timedelta(hours=6),
)
CERTIFICATE_RENEWAL = Clockwork(
    "renew-certificates",
    CertificateRenewalWorkflow.run,
    RenewalRequest(),
    "renew certificates at gateways",
    timedelta(hours=1),  # one that lives a day is renewed in time
)


async def keep_schedules(client: Client, signing: timedelta) -> bool:
    """Has done by the clock what needs OpenBao; False = all was so already. Idempotent."""
    made = await schedule(client, AUDIT_SIGNING, signing)
    made = await schedule(client, EXPIRY_LOOK) or made
    return await schedule(client, CERTIFICATE_RENEWAL) or made


async def schedule(client: Client, what: Clockwork, every: timedelta | None = None) -> bool:
    """Has something done by the clock; False = that was so already.

    Idempotent, also when several workers start at once. Whoever paused the schedule has paused it:
    an interval that changed does not start it again.
    """
    action = ScheduleActionStartWorkflow(
        what.run,
        what.request,
        id=what.name,
        task_queue=ids.ORCHESTRATION_QUEUE,
        static_summary=what.does,
    )
    return await _kept(client, what.name, _every(every or what.every, action, what.does))


async def _kept(client: Client, name: str, wanted: Schedule) -> bool:
    try:
        await client.create_schedule(name, wanted)
    except ScheduleAlreadyRunningError:
        return await _bring_up_to_date(client, name, wanted)
    return True


def _every(interval: timedelta, action: ScheduleActionStartWorkflow, note: str) -> Schedule:
    return Schedule(
        action=action,
        spec=ScheduleSpec(
            intervals=[ScheduleIntervalSpec(every=interval)],
            jitter=min(interval / 10, _MOST_JITTER),
        ),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=max(interval, timedelta(minutes=1))
        ),
        state=ScheduleState(note=note),
    )


async def _bring_up_to_date(client: Client, name: str, wanted: Schedule) -> bool:
    changed = False

    async def update(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
        nonlocal changed
        known = found.description.schedule
        changed = known.spec.intervals != wanted.spec.intervals
        if not changed:
            return None
        wanted.state = known.state
        return ScheduleUpdate(schedule=wanted)

    await client.get_schedule_handle(name).update(update)
    return changed
