"""Certificates at gateways are renewed by the clock, and each trouble with them is told once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from domain import ids
from domain.deliveries.certificates import (
    CertificatePlane,
    CertificatePlanes,
    CertificateTrouble,
    Renewal,
    RenewalRequest,
    RenewCertificates,
    RenewedCertificates,
)
from domain.errors import Errored
from domain.records import AuditFact, FactBatch, Recorded
from tests.serving import own_client, served
from tests.workflows.test_expiry_looks import acted
from workflows.gateways.renewal import CertificateRenewalWorkflow
from workflows.schedules import CERTIFICATE_RENEWAL, schedule

pytestmark = pytest.mark.workflows


class Planes:
    """Two organizations with a plane each; one has no role in OpenBao, one does not answer."""

    def __init__(self) -> None:
        self.names = tuple(sorted(f"o-{uuid4().hex[:8]}" for _ in range(3)))
        self.queue = f"plane.{self.names[0]}"
        self.facts: list[AuditFact] = []

    @activity.defn
    async def list_certificate_planes(self, _request: RenewalRequest) -> CertificatePlanes:
        planes = [
            CertificatePlane(organization=name, plane="local", task_queue=self.queue)
            for name in self.names
        ]
        return CertificatePlanes(items=tuple(planes))

    @activity.defn
    async def renew_certificates(self, request: RenewCertificates) -> RenewedCertificates:
        good, bad, _ = self.names
        if request.organization == good:
            return RenewedCertificates(renewed=(f"{good}-shop-dev",))
        if request.organization == bad:
            trouble = CertificateTrouble(
                organization=bad, namespace=f"{bad}-shop-dev", message="there is no role"
            )
            return RenewedCertificates(refused=(trouble,))
        raise Errored("the plane is broken")

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        self.facts.extend(batch.facts)
        return Recorded()


async def test_what_was_renewed_is_told_each_time_and_a_trouble_once(own_temporal: Client) -> None:
    planes, client = Planes(), await own_client(own_temporal)
    good, bad, broken = planes.names
    control: list[Any] = [planes.list_certificate_planes, planes.record]
    workers = [
        Worker(client, task_queue=ids.ORCHESTRATION_QUEUE, workflows=[CertificateRenewalWorkflow]),
        Worker(client, task_queue=ids.CONTROL_QUEUE, activities=control),
        Worker(client, task_queue=planes.queue, activities=[planes.renew_certificates]),
    ]
    async with served(workers):
        day = timedelta(days=1)  # it begins only when it is asked to
        made = [await schedule(own_temporal, CERTIFICATE_RENEWAL, day) for _ in range(2)]
        handle = own_temporal.get_schedule_handle(CERTIFICATE_RENEWAL.name)
        done = [await acted(client, handle, Renewal) for _ in range(2)]

    assert made == [True, False]
    assert [(one.renewed, one.unanswered) for one in done] == [(1, (f"{broken}/local",))] * 2
    assert [one.organization for one in done[0].refused] == [bad]
    told = [(one.organization, one.action, one.message) for one in planes.facts]
    assert told == [
        (good, "certificate.renewed", ""),
        (bad, "certificate.refused", "there is no role"),
        (good, "certificate.renewed", ""),
    ]
