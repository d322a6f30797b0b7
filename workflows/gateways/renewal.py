"""Renews the certificates at gateways that OpenBao signs; begun by the clock.

What could not be renewed is the result of one look, with which the next begins, so people are told
of each trouble once. Deployments renew what they need themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.gateways.certificates import CertificatePlanActivities, GatewayCertificates
from domain import ids
from domain.deliveries import Trigger, TriggerKind
from domain.deliveries.certificates import (
    CertificatePlane,
    CertificateTrouble,
    Renewal,
    RenewalRequest,
    RenewCertificates,
    RenewedCertificates,
)
from domain.errors import PlatformError
from domain.records import FactResult
from workflows.common.calls import QUICK, Options, call, stop_if_cancelled, watch
from workflows.common.facts import Facts

_AT_ONCE = 20
"""Planes that are asked at the same time."""
_SOON: Options = {**QUICK, "schedule_to_close_timeout": timedelta(minutes=10)}
_RENEW: Options = {
    **watch(timedelta(minutes=10)),
    "schedule_to_close_timeout": timedelta(minutes=15),
}
"""The next look comes by itself: this one does not wait long for a plane that is away."""
_Done = tuple[CertificatePlane, RenewedCertificates | None]


@workflow.defn
class CertificateRenewalWorkflow:
    """One look at all certificates that OpenBao signs for gateways.

    Nothing to undo: a certificate that is renewed is good, and the one before it still is.
    """

    @workflow.run
    async def run(self, request: RenewalRequest) -> Renewal:
        """Returns what people know now; the next look begins with it."""
        known = workflow.get_last_completion_result(Renewal) or Renewal()
        planes = await call(
            CertificatePlanActivities.list_certificate_planes,
            request,
            "which planes show certificates of OpenBao",
            queue=ids.CONTROL_QUEUE,
            options=_SOON,
        )
        done: list[_Done] = []
        for first in range(0, len(planes.items), _AT_ONCE):
            some = planes.items[first : first + _AT_ONCE]
            done += await asyncio.gather(*(self._renewed(one) for one in some))
        for organization, group in groupby(done, key=lambda one: one[0].organization):
            await self._record(organization, list(group), known)
        answers = [answer for _, answer in done if answer is not None]
        return Renewal(
            renewed=sum(len(one.renewed) for one in answers),
            refused=tuple(trouble for one in answers for trouble in one.refused),
            unanswered=tuple(
                f"{plane.organization}/{plane.plane}" for plane, answer in done if answer is None
            ),
        )

    async def _renewed(self, plane: CertificatePlane) -> _Done:
        """Returns what a plane did, None when it does not answer."""
        try:
            answer = await call(
                GatewayCertificates.renew_certificates,
                RenewCertificates(organization=plane.organization),
                f"renew certificates of {plane.organization} on plane {plane.plane}",
                queue=plane.task_queue,
                options=_RENEW,
            )
        except (FailureError, PlatformError):
            stop_if_cancelled()
            return plane, None
        return plane, answer

    async def _record(self, organization: str, done: Sequence[_Done], known: Renewal) -> None:
        facts = Facts(organization, "certificates", Trigger(kind=TriggerKind.AUTOMATIC))
        for plane, answer in done:
            for namespace in answer.renewed if answer else ():
                facts.add(
                    "certificate.renewed",
                    step=f"renewed:{plane.plane}:{namespace}",
                    subject=f"certificate of {namespace} on {plane.plane}",
                )
            for trouble in answer.refused if answer else ():
                if trouble not in known.refused:
                    self._tell(facts, plane, trouble)
        await facts.write_to_the_end()

    def _tell(self, facts: Facts, plane: CertificatePlane, trouble: CertificateTrouble) -> None:
        facts.add(
            "certificate.refused",
            step=f"refused:{plane.plane}:{trouble.namespace}",
            result=FactResult.FAILED,
            subject=f"certificate of {trouble.namespace} on {plane.plane}",
            message=trouble.message,
        )
