"""All procedures there are: what a worker serves and what replay tests replay."""

from __future__ import annotations

from workflows.approvals import ApprovalWorkflow
from workflows.build_lane import BuildLaneWorkflow
from workflows.build_requests import RequestBuildWorkflow
from workflows.builds import BuildWorkflow
from workflows.class_upgrades import ClassUpgradeWorkflow
from workflows.deployments import DeployWorkflow
from workflows.drift import DriftWorkflow
from workflows.emergency_stops import EmergencyStopWorkflow
from workflows.promotion_plans import PlanPromotionWorkflow
from workflows.promotions import PromotionWorkflow
from workflows.rollbacks import RollbackWorkflow
from workflows.standing import StandingWorkflow
from workflows.task_runs import TaskRunWorkflow

PROCEDURES = [
    BuildWorkflow,
    ClassUpgradeWorkflow,
    DeployWorkflow,
    DriftWorkflow,
    EmergencyStopWorkflow,
    PlanPromotionWorkflow,
    RequestBuildWorkflow,
    RollbackWorkflow,
    TaskRunWorkflow,
]
"""They end within a release of Pavane."""
LANES = [ApprovalWorkflow, BuildLaneWorkflow, PromotionWorkflow, StandingWorkflow]
"""They may stay open over many releases, so a new release takes them over while they run."""
WORKFLOWS = [*PROCEDURES, *LANES]
