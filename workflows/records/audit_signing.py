"""Signs the heads of the audit chains, so that nobody can write a chain anew unseen."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from activities.records.facts import RecordActivities
from activities.records.signing import SigningActivities
from domain import ids
from domain.records import HeadsSigned, SigningRequest
from workflows.common.calls import QUICK, Options, call

PATIENCE = timedelta(minutes=10)
"""How long signing waits for OpenBao before this run fails; the next run begins anew."""
_SIGN: Options = {**QUICK, "schedule_to_close_timeout": PATIENCE}


@workflow.defn
class SignAuditHeadsWorkflow:
    """Reads the heads that are not signed, signs them, and writes the signatures down.

    Idempotent: a head that is signed already is not read. Nothing to undo: until the last step
    nothing was written, and that step only adds.
    """

    @workflow.run
    async def run(self, request: SigningRequest) -> HeadsSigned:
        """Ends at once when everything is signed."""
        unsigned = await call(
            RecordActivities.read_unsigned_heads,
            request,
            "which heads of audit chains are not signed",
            queue=ids.CONTROL_QUEUE,
            options=_SIGN,
        )
        if not unsigned.heads:
            return HeadsSigned()
        signed = await workflow.execute_activity_method(
            SigningActivities.sign_heads,
            unsigned,
            summary=f"sign the heads of {len(unsigned.heads)} audit chains",
            task_queue=ids.SECRETS_QUEUE,
            **_SIGN,
        )
        return await call(
            RecordActivities.write_signatures,
            signed,
            f"write {len(signed.signatures)} signatures down",
            queue=ids.CONTROL_QUEUE,
            options=_SIGN,
        )
