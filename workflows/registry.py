"""All procedures there are: what a worker serves and what replay tests replay."""

from __future__ import annotations

from workflows.build_requests import RequestBuildWorkflow
from workflows.builds import BuildWorkflow
from workflows.deployments import DeployWorkflow
from workflows.drift import DriftWorkflow

WORKFLOWS = [BuildWorkflow, DeployWorkflow, DriftWorkflow, RequestBuildWorkflow]
