"""What runs by the clock: Temporal Schedules, made by workers when they start."""

from __future__ import annotations

from datetime import timedelta

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
from domain.records import SigningRequest
from workflows.expiry.look import ExpiryLookWorkflow
from workflows.gateways.renewal import CertificateRenewalWorkflow
from workflows.records.audit_signing import SignAuditHeadsWorkflow

AUDIT_SIGNING = "sign-audit-heads"
EXPIRY_LOOK = "look-at-expiries"
_EXPIRY_INTERVAL = timedelta(hours=6)
"""How often it is looked which secrets expire."""
CERTIFICATE_RENEWAL = "renew-certificates"
_RENEWAL_INTERVAL = timedelta(hours=1)
"""How often certificates at gateways are looked at: one that lives a day is renewed in time."""
_MOST_JITTER = timedelta(seconds=30)


async def keep_schedules(client: Client, signing: timedelta) -> bool:
    """Has done by the clock what needs OpenBao; False = all was so already. Idempotent."""
    made = await schedule_audit_signing(client, signing)
    made = await schedule_expiry_looks(client) or made
    return await schedule_renewals(client) or made


async def schedule_audit_signing(client: Client, interval: timedelta) -> bool:
    """Has the heads of audit chains signed every ``interval``; False = that was so already.

    Idempotent, also when several workers start at once. Whoever paused the schedule has paused it:
    an interval that changed does not start it again.
    """
    action = ScheduleActionStartWorkflow(
        SignAuditHeadsWorkflow.run,
        SigningRequest(),
        id=AUDIT_SIGNING,
        task_queue=ids.ORCHESTRATION_QUEUE,
        static_summary="sign the heads of the audit chains",
    )
    wanted = _every(interval, action, "signs the heads of the audit chains")
    return await _kept(client, AUDIT_SIGNING, wanted)


async def schedule_expiry_looks(client: Client, interval: timedelta = _EXPIRY_INTERVAL) -> bool:
    """Has it looked every ``interval`` which secrets expire; False = that was so already.

    As ``schedule_audit_signing``.
    """
    action = ScheduleActionStartWorkflow(
        ExpiryLookWorkflow.run,
        ExpiryRequest(),
        id=EXPIRY_LOOK,
        task_queue=ids.ORCHESTRATION_QUEUE,
        static_summary="look which secrets expire",
    )
    wanted = _every(interval, action, "looks which secrets expire")
    return await _kept(client, EXPIRY_LOOK, wanted)


async def schedule_renewals(client: Client, interval: timedelta = _RENEWAL_INTERVAL) -> bool:
    """Has certificates at gateways renewed every ``interval``; False = that was so already.

    As ``schedule_audit_signing``.
    """
    action = ScheduleActionStartWorkflow(
        CertificateRenewalWorkflow.run,
        RenewalRequest(),
        id=CERTIFICATE_RENEWAL,
        task_queue=ids.ORCHESTRATION_QUEUE,
        static_summary="renew certificates at gateways",
    )
    wanted = _every(interval, action, "renews certificates at gateways")
    return await _kept(client, CERTIFICATE_RENEWAL, wanted)


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
