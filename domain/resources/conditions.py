"""Conditions after the conventions of Kubernetes: what is true, and if not, what is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from domain.resources.model import Model

MESSAGE_LIMIT = 4096


class ConditionType(StrEnum):
    """The conditions Pavane sets."""

    READY = "Ready"
    """The resource is as its spec wants it."""
    RESOLVED = "Resolved"
    """Everything the spec names exists."""
    PROGRESSING = "Progressing"
    """A procedure works on it."""
    RELEASED = "Released"
    """What the resource says is what runs where it is used."""
    ROTATED = "Rotated"
    """The last rotation of the secret came to its end. Absent = there was none."""
    DRIFTED = "Drifted"
    """Somebody else changed objects on the plane. Absent = nobody did."""
    CONNECTED = "Connected"
    """The worker of the plane works, and the cluster answers it."""
    HEALTHY = "Healthy"
    """All that runs in the environment is well. Unknown = nobody looked."""
    CYCLIC = "Cyclic"
    """Components need each other. Absent = they do not."""
    NAMESPACE = "Namespace"
    """The namespace of the organization is there and its own."""
    ACCESS = "Access"
    """Kubernetes lets people do what the access rules say, and nothing else."""
    ADMISSION = "Admission"
    """The API server refuses what the organization must not have."""
    PLANES = "Planes"
    """The namespaces on the data planes are set up."""


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """Reasons Pavane gives itself; a plane adds its own, such as ``CrashLoopBackOff``."""

    ACCEPTED = "Accepted"
    AVAILABLE = "Available"
    BUILD_FAILED = "BuildFailed"
    BUILDING = "Building"
    CANCELLED = "Cancelled"
    CONNECTED = "Connected"
    DENIED = "Denied"
    DEPLOYED = "Deployed"
    DEPLOYING = "Deploying"
    DRIFT_CONTESTED = "DriftContested"
    DRIFTED = "Drifted"
    ERRORED = "Errored"
    GATE_CLOSED = "GateClosed"
    HEALTHY = "Healthy"
    INVALID = "Invalid"
    IN_USE = "InUse"
    NEED_EACH_OTHER = "NeedEachOther"
    NOT_LOOKED_AT = "NotLookedAt"
    NOT_VISIBLE = "NotVisible"
    PUT_BACK_FAILED = "PutBackFailed"
    PUTTING_BACK = "PuttingBack"
    PARKED = "Parked"
    PLANE_SILENT = "PlaneSilent"
    QUEUED = "Queued"
    REFERENCE_MISSING = "ReferenceMissing"
    REMOVING = "Removing"
    RESTORED = "Restored"
    REVISION_UNRESOLVED = "RevisionUnresolved"
    ROLLED_BACK = "RolledBack"
    ROLLOUT_FAILED = "RolloutFailed"
    SETTING_UP = "SettingUp"
    SET_UP = "SetUp"
    SUCCEEDED = "Succeeded"
    SUPERSEDED = "Superseded"
    SUSPENDED = "Suspended"
    UNDEPLOYED = "Undeployed"
    UNHEALTHY = "Unhealthy"
    WAITING_FOR_ARTIFACT = "WaitingForArtifact"
    WAITING_FOR_PLANE = "WaitingForPlane"


class Condition(Model):
    """One observation of a resource."""

    model_config = ConfigDict(extra="ignore")

    type: str = Field(max_length=64, pattern=r"^[A-Z][A-Za-z0-9]*$")
    """What is observed."""
    status: ConditionStatus
    """Whether it holds."""
    reason: str = Field(min_length=1, max_length=128, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    """One CamelCase word: why."""
    message: str = Field("", max_length=MESSAGE_LIMIT)
    """Why, for people; of a condition that does not hold: what is waited for."""
    observed_generation: int = Field(0, ge=0)
    """Generation of the resource that was looked at."""
    last_transition_time: AwareDatetime
    """Since when the status is what it is."""

    @property
    def is_true(self) -> bool:
        """Tells whether it holds."""
        return self.status is ConditionStatus.TRUE


def set_condition(
    conditions: Sequence[Condition],
    type: str,  # noqa: A002 - the field's own name
    status: ConditionStatus | Literal["True", "False", "Unknown"] | bool,
    reason: str,
    message: str,
    *,
    observed_generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    """Returns the conditions with one of them set, in order of type.

    The time of the last transition is kept while the status stays the same.

    Raises:
        ValueError: A condition that does not hold says nothing about what is waited for.
    """
    state = ConditionStatus(str(status))
    if state is not ConditionStatus.TRUE and not message:
        error = f"condition {type}={state} ({reason}) must say what is waited for"
        raise ValueError(error)
    before = next((one for one in conditions if one.type == type), None)
    unchanged = before is not None and before.status is state
    condition = Condition(
        type=type,
        status=state,
        reason=reason,
        message=_cut(message),
        observed_generation=observed_generation,
        last_transition_time=before.last_transition_time if before and unchanged else now,
    )
    others = [one for one in conditions if one.type != type]
    return tuple(sorted([*others, condition], key=lambda one: one.type))


def without_condition(conditions: Sequence[Condition], of_type: str) -> tuple[Condition, ...]:
    """Returns the conditions but for one that no longer says anything."""
    return tuple(one for one in conditions if one.type != of_type)


def _cut(message: str) -> str:
    """Keeps the end too: log lines that matter come last."""
    if len(message) <= MESSAGE_LIMIT:
        return message
    half = MESSAGE_LIMIT // 2 - 3
    return f"{message[:half]}\n...\n{message[-half:]}"
