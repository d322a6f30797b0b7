"""What the API answers about renderings, classes, quotas and runs of tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import Field

from api.schemas.deliveries import Request, View
from domain.deliveries.trees import ComponentTree, TreeNode
from domain.policies.runs import is_yes


class FieldChangeView(View):
    """One field that is different."""

    object: str
    field: str = ""
    before: str = ""
    after: str = ""


class RenderView(View):
    """The objects a component becomes in an environment."""

    component: str
    environment: str
    binding: str
    class_revision: str
    release: str = Field(description="Name the release would have.")
    running: str = Field("", description="Release that runs; empty = none.")
    objects: tuple[dict[str, Any], ...]
    changes: tuple[FieldChangeView, ...] = Field(
        description="What differs from the release that runs."
    )
    network: tuple[str, ...] = Field(
        (), description="Ways that open (+) or close (-), by the policy of the component."
    )
    pairs: tuple[str, ...] = Field(
        (),
        description="Components that may talk then and may not now (+), or the other way round "
        "(-), judged by the policies of both ends.",
    )
    notes: tuple[str, ...] = Field((), description="What the plane's network policies cannot say.")


class ConsumerView(View):
    """A binding that follows a class."""

    binding: str
    component: str
    environment: str
    revision: str = ""
    held: str = Field("", description="ClassRevision it is held at; empty = it is not.")
    needs: bool = Field(description="An upgrade would deploy it.")
    changes: tuple[FieldChangeView, ...] = ()
    problem: str = Field("", description="Why it cannot be rendered with the present class.")


class ConsumerList(View):
    """Who follows a class."""

    kind: str
    name: str
    revision: str = Field(description="ClassRevision of its present content.")
    items: tuple[ConsumerView, ...]


class QuotaView(View):
    """One bound and what is used of it."""

    scope: str
    resource: str
    used: str
    limit: str = Field("", description="Empty = no bound.")


class QuotaList(View):
    """All bounds of an organization."""

    items: tuple[QuotaView, ...]


class TaskRunOrder(Request):
    """Asks for one run of a scheduled task."""

    environment: str = Field(examples=["development"])


class TaskRunView(View):
    """One run of a scheduled task that the plane still has."""

    name: str
    state: str = Field(description="Succeeded, Failed or Running.")
    manual: bool = Field(description="A person asked for it.")
    started: datetime | None = None
    finished: datetime | None = None
    message: str = ""

    @classmethod
    def of(cls, node: TreeNode) -> Self:
        """Returns a run as a look has seen it."""
        told = node.details
        return cls(
            name=node.name,
            state=told.get("state", ""),
            manual=is_yes(told, "manual"),
            started=_moment(told.get("started")),
            finished=_moment(told.get("finished")),
            message=told.get("message", ""),
        )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


class TaskRunList(View):
    """Runs of a scheduled task, the newest first."""

    component: str
    environment: str
    schedule: str = ""
    time_zone: str = ""
    suspended: bool = False
    items: tuple[TaskRunView, ...]

    @classmethod
    def of(cls, tree: ComponentTree) -> Self:
        """Returns the runs that a look at the task has found."""
        timetable = next((one.details for one in tree.nodes if one.kind == "CronJob"), {})
        items = (TaskRunView.of(one) for one in tree.nodes if one.kind == "Job")
        return cls(
            component=tree.component,
            environment=tree.environment,
            schedule=timetable.get("schedule", ""),
            time_zone=timetable.get("timeZone", ""),
            suspended=is_yes(timetable, "suspended"),
            items=tuple(items),
        )
