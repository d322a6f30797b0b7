"""When nothing, or only then something, is brought to an environment."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.model import Model
from domain.resources.types import Duration, Name, NameOrEmpty, Text, list_by

WallTime = Annotated[
    str, Field(max_length=19, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?$")
]
"""Date and time as the clock on the wall shows it: ``2026-11-27T18:00``."""


class FreezeEffect(StrEnum):
    """What a window does to deployments."""

    DENY = "Deny"
    ALLOW = "Allow"


class RolloutInProgress(StrEnum):
    """What becomes of a rollout that runs when the window closes."""

    FINISH = "Finish"
    HOLD = "Hold"
    REVERT = "Revert"


class OverrideBy(StrEnum):
    """Who may bring something in although the window is closed."""

    ADMIN = "admin"
    DEVELOPER = "developer"
    NOBODY = "nobody"


class FreezeScope(Model):
    """What a window is about. What is not said is not limited; all that is said must be so."""

    environments: tuple[Name, ...] = Field((), max_length=50)
    """Environments. Empty = all of the organization."""
    projects: tuple[Name, ...] = Field((), max_length=100)
    """Projects. Empty = all."""
    match_labels: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Labels the component must have. Empty = any."""


class FreezeSchedule(Model):
    """When it is: at a time on the wall of a time zone, for a duration, again by a rule."""

    start: WallTime
    """When it begins for the first time, by the clock of the time zone."""
    duration: Duration = Field(min_length=2)
    """How long it lasts by that clock: 62h from Friday 18:00 ends on Monday at 8:00, also when
    daylight saving time begins or ends meanwhile."""
    time_zone: str = Field(
        "UTC", max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$"
    )
    """IANA name, such as Europe/Berlin."""
    recurrence: str = Field(
        "",
        max_length=512,
        pattern=r"^(FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;[A-Z]+=[A-Z0-9,+-]+)*)?$",
    )
    """Recurrence rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=FR. Empty = once."""
    except_dates: tuple[WallTime, ...] = Field((), max_length=200)
    """Beginnings that are left out."""


class FreezeWindowSpec(Model):
    """A time in which deployments wait, or in which alone they go on."""

    reason: Text = Field(min_length=1)
    """Why; shown to those who wait."""
    effect: FreezeEffect = FreezeEffect.DENY
    """Deny = deployments wait while it lasts. Allow = they wait while none of these lasts."""
    scope: FreezeScope = FreezeScope()
    """What it is about. Empty = everything of the organization."""
    schedule: FreezeSchedule
    """When it is."""
    in_progress: RolloutInProgress = RolloutInProgress.FINISH
    """What is under way when it closes: Finish = goes on to its end. Hold = takes no further step
    until it opens: pods that are being replaced all are, what was promoted and watched is verified
    afterwards. Revert = what ran before is brought back, and it comes again when it opens."""
    override_by: OverrideBy = OverrideBy.ADMIN
    """Which role may bring something in nevertheless, with a reason."""
    suspended: bool = False
    """It counts for nothing until this is taken back."""


class FreezeOverride(Model):
    """Lets something in although the window is closed, for a while."""

    model_config = ConfigDict(extra="ignore")

    id: Name
    """Name of the override."""
    environment: Name
    """Where."""
    component: NameOrEmpty = ""
    """For this component. Empty = for all in that environment."""
    by: str = Field(max_length=256)
    """Who."""
    reason: Text = Field(min_length=1)
    """Why."""
    at: datetime
    """When it was said."""
    until: datetime
    """When it ends."""


class FreezeWindowStatus(Status):
    """When it is next."""

    active: bool = False
    """It lasts now."""
    next_start: datetime | None = None
    """When it begins next."""
    next_end: datetime | None = None
    """When it ends next."""
    overrides: tuple[FreezeOverride, ...] = Field(
        (), max_length=50, json_schema_extra=list_by("id")
    )
    """Who let something in nevertheless, and why."""


class FreezeWindow(Resource):
    """A time in which nothing is brought to environments, or in which alone something is."""

    kind: ClassVar[str] = "FreezeWindow"
    plural: ClassVar[str] = "freezewindows"
    short_names: ClassVar[tuple[str, ...]] = ("freeze", "freezes")
    written_by: ClassVar[WrittenBy] = "platform-engineer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Effect", ".spec.effect", "Deny or Allow"),
        Column("Environments", ".spec.scope.environments", "Where; empty = everywhere"),
        Column("Start", ".spec.schedule.start", "Beginning by the clock of its time zone"),
        Column("Duration", ".spec.schedule.duration", "How long it lasts"),
        Column("Recurrence", ".spec.schedule.recurrence", "RFC 5545 rule; empty = once"),
        Column("Active", ".status.active", "Whether it lasts now"),
        Column("Next", ".status.nextStart", "When it begins next"),
        Column("Zone", ".spec.schedule.timeZone", "Time zone", wide=True),
        Column("Why", ".spec.reason", "Why", wide=True),
        *READY_COLUMNS,
    )

    spec: FreezeWindowSpec
    status: FreezeWindowStatus = FreezeWindowStatus()
