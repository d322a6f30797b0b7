"""What the API takes and answers about leaked secrets. References, never a value."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.schemas.deliveries import Request, View
from domain.deliveries.leaks import LeakReport


class ReportLeak(Request):
    """Says that secrets of a project are known to strangers."""

    environment: str = Field("", max_length=63, description="Only one. Empty = all of them.")
    reason: str = Field(min_length=3, max_length=1000)


class ConfirmLeak(Request):
    """A person's word for a plan."""

    plan: str = Field(min_length=1, max_length=128, description="Hash of the plan that was seen.")
    environment: str = Field("", max_length=63, description="As it was reported.")


class LeakEntryView(View):
    """A secret that is turned over when the plan is confirmed."""

    path: str
    rotation: str = Field(description="Its SecretRotation.")
    engine: str
    consumers: tuple[str, ...] = Field((), description="Who begins anew, in this order.")
    skips: tuple[str, ...] = Field((), description="Groups that are not asked this time.")
    expected_seconds: int


class ByHandView(View):
    """A secret that has no SecretRotation: a person must replace it."""

    path: str
    consumers: tuple[str, ...] = ()


class LeakPlanView(View):
    """What is done when it is confirmed."""

    hash: str
    entries: tuple[LeakEntryView, ...] = Field((), description="All are begun at once.")
    by_hand: tuple[ByHandView, ...] = ()
    silent_planes: tuple[str, ...] = Field((), description="Planes that did not answer.")
    expected_seconds: int


class LeakedSecretView(View):
    """What was done about one secret."""

    path: str
    rotation: str
    engine: str
    outcome: str = Field(description="Waiting, Running, Replaced or Failed.")
    before: int = Field(description="The version that leaked.")
    version: int = Field(description="The one in its place; 0 = none.")
    consumers: tuple[str, ...] = ()
    begun: datetime | None = None
    ended: datetime | None = None
    operation: str
    message: str = ""


class LeakView(View):
    """A response to a leak: plan, confirmation and evidence."""

    id: str
    organization: str
    project: str
    environment: str = ""
    reason: str = ""
    reported_by: str
    reported_at: datetime | None = None
    awaits_confirmation: bool
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    plan: LeakPlanView
    secrets: tuple[LeakedSecretView, ...] = ()
    message: str = ""

    @classmethod
    def of(cls, workflow_id: str, report: LeakReport) -> LeakView:
        """Shows the answer of its query."""
        content = report.model_dump()
        plan = content["plan"]
        for one in (plan, *plan["entries"]):
            one["expected_seconds"] = int(one.pop("expected").total_seconds())
        return cls.model_validate({"id": workflow_id, **content})
