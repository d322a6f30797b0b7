"""All procedures there are: what a worker serves and what replay tests replay."""

from __future__ import annotations

from workflows.appointments.deploy_at import DeployAtWorkflow
from workflows.approvals.approval import ApprovalWorkflow
from workflows.builds.build import BuildWorkflow
from workflows.builds.lane import BuildLaneWorkflow
from workflows.builds.requests import RequestBuildWorkflow
from workflows.classes.upgrades import ClassUpgradeWorkflow
from workflows.configurations.release import ConfigurationWorkflow
from workflows.deployments.deployment import DeployWorkflow
from workflows.deployments.drift import DriftWorkflow
from workflows.expiry.look import ExpiryLookWorkflow
from workflows.gateways.renewal import CertificateRenewalWorkflow
from workflows.guards.emergency_stops import EmergencyStopWorkflow
from workflows.health.changes import ScheduleChangeWorkflow
from workflows.health.sweep import SweepWorkflow
from workflows.leaks.response import LeakResponseWorkflow
from workflows.looks.logs import LogsWorkflow
from workflows.looks.tree import TreeWorkflow
from workflows.planes.check import PlaneCheckWorkflow
from workflows.planes.observability import ObservabilityCheckWorkflow
from workflows.promotions.plans import PlanPromotionWorkflow
from workflows.promotions.promotion import PromotionWorkflow
from workflows.promotions.rollback import RollbackWorkflow
from workflows.promotions.standing import StandingWorkflow
from workflows.records.audit_signing import SignAuditHeadsWorkflow
from workflows.rights.break_glass import BreakGlassWorkflow
from workflows.secrets.changes import SecretChangeWorkflow
from workflows.secrets.rotation import RotationWorkflow
from workflows.secrets.timetable import ScheduledRotationWorkflow
from workflows.sets.release_set import ReleaseSetWorkflow
from workflows.tasks.runs import TaskRunWorkflow
from workflows.teardown.teardown import TeardownWorkflow
from workflows.tenants.tenant import TenantWorkflow

PROCEDURES = [
    BuildWorkflow,
    CertificateRenewalWorkflow,
    ClassUpgradeWorkflow,
    DeployWorkflow,
    DriftWorkflow,
    EmergencyStopWorkflow,
    ExpiryLookWorkflow,
    LogsWorkflow,
    PlanPromotionWorkflow,
    RequestBuildWorkflow,
    RollbackWorkflow,
    ScheduleChangeWorkflow,
    ScheduledRotationWorkflow,
    SecretChangeWorkflow,
    SignAuditHeadsWorkflow,
    SweepWorkflow,
    TaskRunWorkflow,
    TenantWorkflow,
    TreeWorkflow,
]
"""They end within a release of Pavane."""
LANES = [
    ApprovalWorkflow,
    BreakGlassWorkflow,
    BuildLaneWorkflow,
    ConfigurationWorkflow,
    DeployAtWorkflow,
    LeakResponseWorkflow,
    ObservabilityCheckWorkflow,
    PlaneCheckWorkflow,
    PromotionWorkflow,
    ReleaseSetWorkflow,
    RotationWorkflow,
    StandingWorkflow,
    TeardownWorkflow,
]
"""They may stay open over many releases, so a new release takes them over while they run."""
WORKFLOWS = [*PROCEDURES, *LANES]
