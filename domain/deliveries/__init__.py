"""What the build, deployment and drift procedures are asked, pass on and answer.

These models stand in Temporal histories: fields are only ever added, with defaults, and unknown
ones are ignored so that an older worker survives a newer caller.
"""

from __future__ import annotations

from domain.deliveries.build_lanes import (
    BuildLane,
    BuildTurn,
    HeldSlot,
    LaneCheck,
    LaneFacts,
    QueuePlace,
    SlotRef,
    SlotRequest,
    WaitingBuild,
)
from domain.deliveries.builds import (
    Build,
    BuildFollow,
    BuildHandle,
    BuildOutcome,
    BuildPlan,
    BuildRecord,
    BuildRefusal,
    BuildRequest,
    BuildStarted,
    ResolvedCommit,
    StageDuration,
)
from domain.deliveries.deployments import (
    Applied,
    ApplyRelease,
    Bundle,
    Deployment,
    DeployRecord,
    DeployRequest,
    Enqueued,
    FollowRollout,
    ObjectRef,
    PreparedRelease,
    RolloutReady,
)
from domain.deliveries.drift import (
    Contest,
    DriftedField,
    DriftMemory,
    DriftPlace,
    DriftRecord,
    DriftReport,
    DriftRequest,
    Inspection,
    InspectRelease,
    PutBackNote,
    PutBackRequest,
)
from domain.deliveries.operations import (
    OperationStatus,
)
from domain.deliveries.wire import (
    Step,
    Trigger,
    TriggerKind,
    Waiting,
    Wire,
)

__all__ = [
    "Applied",
    "ApplyRelease",
    "Build",
    "BuildFollow",
    "BuildHandle",
    "BuildLane",
    "BuildOutcome",
    "BuildPlan",
    "BuildRecord",
    "BuildRefusal",
    "BuildRequest",
    "BuildStarted",
    "BuildTurn",
    "Bundle",
    "Contest",
    "DeployRecord",
    "DeployRequest",
    "Deployment",
    "DriftMemory",
    "DriftPlace",
    "DriftRecord",
    "DriftReport",
    "DriftRequest",
    "DriftedField",
    "Enqueued",
    "FollowRollout",
    "HeldSlot",
    "InspectRelease",
    "Inspection",
    "LaneCheck",
    "LaneFacts",
    "ObjectRef",
    "OperationStatus",
    "PreparedRelease",
    "PutBackNote",
    "PutBackRequest",
    "QueuePlace",
    "ResolvedCommit",
    "RolloutReady",
    "SlotRef",
    "SlotRequest",
    "StageDuration",
    "Step",
    "Trigger",
    "TriggerKind",
    "Waiting",
    "WaitingBuild",
    "Wire",
]
