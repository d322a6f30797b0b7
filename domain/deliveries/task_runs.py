"""What a run of a scheduled task that a person asked for is asked, passes on and answers."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from domain.deliveries.wire import Trigger, Wire


class TaskRunRequest(Wire):
    """Runs a scheduled task once, now."""

    organization: str
    component: str
    environment: str
    key: str
    """Equal keys are the same run."""
    trigger: Trigger = Trigger()


class PreparedRun(Wire):
    """A run that is known and not begun."""

    organization: str
    component: str
    environment: str
    namespace: str
    task_queue: str
    release: str = ""
    """Release whose task runs."""
    cron_job: str = ""
    """CronJob that owns the run: it cleans up after it."""
    job: dict[str, Any] = Field(default_factory=dict)
    """The Job."""
    deadline_seconds: int = 3600

    def named(self) -> PreparedRun:
        """Returns the run with no more of the Job than its name, for whoever needs no more."""
        identity = {key: self.job[key] for key in ("apiVersion", "kind") if key in self.job}
        metadata = {key: self.job["metadata"][key] for key in ("name", "namespace")}
        return self.model_copy(update={"job": {**identity, "metadata": metadata}})


class TaskRun(Wire):
    """Result of a run."""

    organization: str
    component: str
    environment: str
    job: str
    state: str = "Succeeded"
    message: str = ""
