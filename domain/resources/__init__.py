"""The kinds of ``choreo.dev/v1alpha1``: what people and the platform write down.

Pure: no clock, no I/O. The CRDs in ``crds/`` are generated from these models.
"""

from __future__ import annotations

from domain.resources.approval import ApprovalPolicy
from domain.resources.base import API_VERSION, GROUP, VERSION, Metadata, Resource, Status
from domain.resources.binding import (
    Binding,
    BindingState,
    ServiceBinding,
    ServiceBindingSpec,
)
from domain.resources.build import Build, DeployableArtifact
from domain.resources.classes import ClassRevision, ComponentClass, ServiceClass
from domain.resources.component import Component, Project
from domain.resources.conditions import Condition, ConditionType, Reason, set_condition
from domain.resources.deployment import Deployment, Release
from domain.resources.environment import Environment
from domain.resources.freeze import FreezeWindow
from domain.resources.instances import Instance, Service
from domain.resources.observability import ObservabilityPlane
from domain.resources.organization import Organization
from domain.resources.pipeline import DeploymentPipeline
from domain.resources.planes import BuildPlane, DataPlane
from domain.resources.registry import KINDS, parse, parse_as
from domain.resources.rights.rules import Action, Role
from domain.resources.workload import Workload

__all__ = [
    "API_VERSION",
    "GROUP",
    "KINDS",
    "VERSION",
    "Action",
    "ApprovalPolicy",
    "Binding",
    "BindingState",
    "Build",
    "BuildPlane",
    "ClassRevision",
    "Component",
    "ComponentClass",
    "Condition",
    "ConditionType",
    "DataPlane",
    "DeployableArtifact",
    "Deployment",
    "DeploymentPipeline",
    "Environment",
    "FreezeWindow",
    "Instance",
    "Metadata",
    "ObservabilityPlane",
    "Organization",
    "Project",
    "Reason",
    "Release",
    "Resource",
    "Role",
    "Service",
    "ServiceBinding",
    "ServiceBindingSpec",
    "ServiceClass",
    "Status",
    "Workload",
    "parse",
    "parse_as",
    "set_condition",
]
