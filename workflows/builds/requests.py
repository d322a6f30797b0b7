"""Finds out which commit a revision means and starts the build of that commit.

The id of a build contains its commit, so the revision must be resolved before the build exists;
doing that in a workflow means an accepted request survives any crash (docs/decisions/0004).
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import (
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

from activities.builds.records import BuildRecordActivities
from activities.builds.revisions import RevisionActivities
from domain import ids
from domain.deliveries import BuildRefusal, BuildRequest, BuildStarted, ResolvedCommit
from domain.errors import Errored, PlatformError
from domain.phases import Phase
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.builds.build import BuildWorkflow
from workflows.common.calls import QUICK, call


@workflow.defn
class RequestBuildWorkflow:
    """Turns "build main of web" into the build of one commit; a second request adopts it."""

    @workflow.run
    async def run(self, request: BuildRequest) -> BuildStarted:
        """Resolves the revision, starts the build, answers with its id."""
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("build-request"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.COMPONENT.value_set(request.component),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )
        resolved = await self._resolve(request)
        build = request.model_copy(update={"commit": resolved.commit, "branch": resolved.branch})
        started = await self._start(build)
        workflow.upsert_search_attributes([attributes.PHASE.value_set(Phase.SUCCEEDED.value)])
        return started

    async def _resolve(self, request: BuildRequest) -> ResolvedCommit:
        """Resolves the revision; what cannot be resolved is told on the Build that asked."""
        revision = request.revision or "the branch of the component"
        try:
            return await call(
                RevisionActivities.resolve_revision,
                request,
                f"resolve {revision}",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )
        except (FailureError, PlatformError) as failure:
            if is_cancelled_exception(failure):
                raise
            error = as_domain_error(failure)
            phase = Phase.ERRORED if isinstance(error, Errored) else Phase.FAILED
            workflow.upsert_search_attributes([attributes.PHASE.value_set(phase.value)])
            if request.build:
                await call(
                    BuildRecordActivities.refuse_build,
                    BuildRefusal(request=request, phase=phase, message=error.message),
                    f"tell Build {request.build} why",
                    queue=ids.CONTROL_QUEUE,
                    options=QUICK,
                )
            raise as_failure(error) from failure

    async def _start(self, build: BuildRequest) -> BuildStarted:
        workflow_id = ids.build_id(build.organization, build.component, build.commit)
        try:
            child = await workflow.start_child_workflow(
                BuildWorkflow.run,
                build,
                id=workflow_id,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=f"build {build.component} at {build.commit[:12]}",
            )
        except WorkflowAlreadyStartedError:
            return await call(
                BuildRecordActivities.adopt_build,
                build,
                f"adopt {workflow_id}",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )
        return BuildStarted(
            workflow_id=workflow_id,
            run_id=child.first_execution_run_id or "",
            commit=build.commit,
        )
