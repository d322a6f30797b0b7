"""Pavane's settings of the Temporal SDK in one object, shared by worker, API, tests and replay."""

from __future__ import annotations

import dataclasses

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)
from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from domain.errors import PlatformError
from runtime.errors import ErrorInterceptor
from runtime.liveness import LivenessInterceptor
from runtime.shares import ShareInterceptor

PASSED_THROUGH = (
    *("domain", "activities", "clients", "settings", "runtime"),
    *(
        "workflows.approvals.asking",
        "workflows.configurations.consent",
        "workflows.approvals.facts",
        "workflows.approvals.views",
        "workflows.builds.facts",
        "workflows.builds.slot",
        "workflows.builds.steps",
        "workflows.common.brake",
        "workflows.common.calls",
        "workflows.common.facts",
        "workflows.common.parking",
        "workflows.common.progress",
        "workflows.common.saga",
        "workflows.common.waves",
        "workflows.common.words",
        "workflows.configurations.outcomes",
        "workflows.deployments.attempt",
        "workflows.deployments.attributes",
        "workflows.deployments.facts",
        "workflows.deployments.ordered",
        "workflows.deployments.probing",
        "workflows.deployments.putting_back",
        "workflows.deployments.queue",
        "workflows.deployments.rolling",
        "workflows.deployments.rolling_out",
        "workflows.guards.edges",
        "workflows.guards.thaw",
        "workflows.promotions.approval",
        "workflows.promotions.delivery",
        "workflows.promotions.going_back",
        "workflows.promotions.letting",
        "workflows.promotions.passage",
        "workflows.promotions.questions",
        "workflows.promotions.requests",
        "workflows.promotions.verifying",
        "workflows.secrets.agreement",
        "workflows.secrets.consumers",
        "workflows.leaks.replacing",
        "workflows.secrets.pauses",
        "workflows.secrets.proving",
        "workflows.secrets.steps",
        "workflows.secrets.trusting",
        "workflows.secrets.turning",
        "workflows.tenants.leaving",
        "workflows.secrets.undoing",
    ),
)
"""Imported once instead of once a workflow run: they hold no state of a run.

The helpers of the workflows are among them, the modules with the workflows themselves are not:
those the sandbox looks at again for each run.
"""


def _runner(given: WorkflowRunner | None) -> WorkflowRunner:
    if isinstance(given, SandboxedWorkflowRunner):
        return dataclasses.replace(
            given, restrictions=given.restrictions.with_passthrough_modules(*PASSED_THROUGH)
        )
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )


def _converter(codec: PayloadCodec | None) -> DataConverter:
    """With a codec messages and stack traces of failures are payloads too."""
    if codec is None:
        return pydantic_data_converter
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=codec,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


class PavanePlugin(SimplePlugin):
    """Pydantic payloads, errors by type, and a sandbox that imports the domain once."""

    def __init__(self, codec: PayloadCodec | None = None) -> None:
        """Without a codec payloads are written as they are."""
        super().__init__(
            "pavane",
            data_converter=_converter(codec),
            interceptors=[ErrorInterceptor(), LivenessInterceptor(), ShareInterceptor()],
            workflow_runner=_runner,
            workflow_failure_exception_types=[PlatformError],
        )
