"""What one deployment tells the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from temporalio import workflow

from domain.deliveries import DeployRequest, PreparedRelease
from domain.deliveries.probes import ProbeOutcome
from domain.errors import PlatformError
from domain.phases import Phase
from domain.records import AuditFact, FactResult, LeadTime
from workflows.common.facts import Facts
from workflows.common.progress import Progress
from workflows.deployments.queue import DeployQueue

_RESULTS = {Phase.SUCCEEDED: FactResult.DONE, Phase.DENIED: FactResult.REFUSED}


class DeploymentFacts(Facts):
    """Collects the facts of one request of a queue; they are written with its end."""

    def __init__(self, request: DeployRequest) -> None:
        super().__init__(
            request.organization,
            f"{request.component} in {request.environment}",
            request.trigger,
            component=request.component,
            environment=request.environment,
            scope=request.request_id,
        )
        self._release: PreparedRelease | None = None

    def prepared(self, release: PreparedRelease) -> None:
        """The release is known: what was there before and what will be."""
        self._release = release
        self.is_about(project=release.project)
        for one in release.freeze.lifted if release.freeze and release.freeze.is_open else ():
            self.add(
                "freeze.overridden",
                step=f"freeze.overridden-{one.window}",
                actor=one.by,
                reason=one.reason,
                before=one.window,
            )

    @property
    def _change(self) -> dict[str, Any]:
        if self._release is None:
            return {}
        release = self._release
        return {
            "before": release.previous.release,
            "after": release.bundle.release,
            "before_hash": _digest(release.from_image),
            "after_hash": _digest(release.image),
        }

    def applied(self) -> None:
        """The objects are on the plane."""
        self.add("deployment.applied", **self._change)

    def probed(self, outcome: ProbeOutcome) -> None:
        """What may talk was tried from pods."""
        result = FactResult.DONE if outcome.passed else FactResult.FAILED
        self.add("deployment.probed", result=result, message=outcome.said, **self._change)

    def frozen(self, why: str) -> None:
        """A freeze began, and what was under way was undone for it."""
        change = self._change
        back = {"before": change.get("after", ""), "after": change.get("before", "")}
        self.add("freeze.reverted", result=FactResult.UNDONE, reason=why, **back)

    def left(self, queue: str, problem: str) -> None:
        """The plane on which it ran before was left; ``problem`` says what stays there."""
        result = FactResult.FAILED if problem else FactResult.DONE
        self.add("deployment.plane-left", result=result, before=queue, message=problem)

    def put_back(self, objects: tuple[str, ...]) -> None:
        """What somebody else had changed is as the release wants it."""
        self.add(
            "drift.put-back", message=", ".join(objects) or "nothing had to be", **self._change
        )

    def ended(self, phase: Phase, failure: PlatformError | None, undone: tuple[str, ...]) -> None:
        """The deployment is over."""
        if undone:
            # The way back: what was applied is gone, what ran before is there.
            change = self._change
            back = {"before": change.get("after", ""), "after": change.get("before", "")}
            self.add(
                "deployment.restored", result=FactResult.UNDONE, message="; ".join(undone), **back
            )
        if phase is Phase.CANCELLED:
            self.add_cancel("deployment.cancelled", undone)
            return
        message = failure.message if failure else ""
        if self._release is not None and not self._release.changed:
            message = message or "this content ran already: nothing was rolled out"
        self.add(
            f"deployment.{phase.value.lower()}",
            result=_RESULTS.get(phase, FactResult.FAILED),
            message=message,
            **self._change,
        )


def asked_now(request: DeployRequest) -> DeployRequest:
    """Returns the request with the moment it reached the queue, which it keeps from then on."""
    return request if request.asked else request.model_copy(update={"asked": workflow.now()})


def given_way(queue: DeployQueue) -> tuple[AuditFact, ...]:
    """Returns what is told of requests that never ran: a newer automatic one took their place."""
    told: list[AuditFact] = []
    for older, newer in queue.take_superseded():
        facts = DeploymentFacts(older)
        facts.add(
            "deployment.superseded",
            result=FactResult.REFUSED,
            reason=f"gave way to {newer.request_id}",
            after=newer.artifact,
        )
        told += facts.take()
    return tuple(told)


def lead_time(
    request: DeployRequest,
    started: datetime,
    progress: Progress,
    release: PreparedRelease | None = None,
) -> LeadTime:
    """Returns where the time of a deployment went, beginning with the build of what it brought."""
    queue = round((started - request.asked).total_seconds(), 3) if request.asked else None
    apply, rollout = (progress.seconds(name) for name in ("apply", "rollout"))
    build = release.build_seconds if release is not None else None
    own = {"build": build, "queue": queue, "apply": apply, "rollout": rollout}
    return request.waited.model_copy(update=own)


def _digest(image: str) -> str:
    return image.rpartition("@")[2] if "@" in image else ""
