"""What the build and the deployment procedures are asked, pass on and answer.

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
    "DeployRecord",
    "DeployRequest",
    "Deployment",
    "Enqueued",
    "FollowRollout",
    "HeldSlot",
    "LaneCheck",
    "LaneFacts",
    "ObjectRef",
    "OperationStatus",
    "PreparedRelease",
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
