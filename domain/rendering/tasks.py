"""The CronJob of a scheduled task."""

from __future__ import annotations

from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.configuration.pulling import pulls_annotation
from domain.rendering.configuration.secrets import sources_annotation
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import annotated, component_labels, manifest
from domain.rendering.merge import merged
from domain.rendering.pods import mapping, pod_template, version_label
from domain.resources.binding import BindingState
from domain.resources.classes import ScheduledTaskClassSpec
from domain.resources.instances import ScheduledTask
from domain.resources.overrides import ConcurrencyPolicy, Schedule

_STARTING_DEADLINE_SECONDS = 300
LONGEST_TASK = 52
"""A CronJob's name gets eleven characters more in the names of its Jobs."""
_DEFAULT_JOB: dict[str, Any] = {"backoffLimit": 1, "activeDeadlineSeconds": 3600}
_JOB_FIELDS = frozenset(
    {
        "activeDeadlineSeconds",
        "backoffLimit",
        "backoffLimitPerIndex",
        "completionMode",
        "completions",
        "maxFailedIndexes",
        "parallelism",
        "podFailurePolicy",
        "template",
        "ttlSecondsAfterFinished",
    }
)


def cron_job(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns the CronJob; one that is suspended has no runs of its own.

    Raises:
        InvalidRequest: Nobody says when it runs, its name is too long, or the class's template is
            no part of a Job's spec.
    """
    spec = _class(facts)
    name = facts.component.name
    if len(name) > LONGEST_TASK:
        raise InvalidRequest(
            f"component {name} is a scheduled task, so its name must have {LONGEST_TASK} "
            "characters at most"
        )
    when = schedule(facts)
    suspended = bool(when.suspended) or facts.state is not BindingState.ACTIVE
    content: dict[str, Any] = {
        "schedule": when.cron,
        "timeZone": when.time_zone or "Etc/UTC",
        "concurrencyPolicy": (when.concurrency_policy or ConcurrencyPolicy.FORBID).value,
        "startingDeadlineSeconds": when.starting_deadline_seconds or _STARTING_DEADLINE_SECONDS,
        "suspend": suspended,
        "successfulJobsHistoryLimit": spec.successful_runs_kept,
        "failedJobsHistoryLimit": spec.failed_runs_kept,
        "jobTemplate": {"metadata": {"labels": _labels(facts)}, "spec": _job(facts, spec)},
    }
    made = manifest("batch/v1", "CronJob", name, facts.namespace, _labels(facts), spec=content)
    return annotated(made, sources_annotation(facts) | pulls_annotation(facts))


def schedule(facts: ReleaseFacts) -> Schedule:
    """Returns when the task runs: binding over ScheduledTask over class, field by field.

    Raises:
        InvalidRequest: Nobody says when.
    """
    levels = [_class(facts).schedule]
    if isinstance(facts.instance, ScheduledTask):
        levels.append(facts.instance.spec.schedule)
    if facts.binding.spec.workload.schedule is not None:
        levels.append(facts.binding.spec.workload.schedule)
    said: dict[str, Any] = {}
    for level in levels:
        said |= {key: value for key, value in level.model_dump().items() if value not in (None, "")}
    when = Schedule.model_validate(said)
    if not when.cron:
        raise InvalidRequest(
            f"{facts.binding.kind} {facts.binding.name}: nobody says when {facts.component.name} "
            f"runs: set spec.schedule.cron of ScheduledTask {facts.component.name}"
        )
    return when


def _job(facts: ReleaseFacts, spec: ScheduledTaskClassSpec) -> dict[str, Any]:
    where = f"{facts.class_said}: spec.taskTemplate"
    foreign = sorted(set(spec.task_template) - _JOB_FIELDS)
    if foreign:
        raise InvalidRequest(
            f"{where}.{foreign[0]} cannot be set by a class: it may set "
            f"{', '.join(sorted(_JOB_FIELDS))}"
        )
    given = merged({}, spec.task_template, where)
    template = mapping(given.pop("template", None), f"{where}.template")
    job = merged(_DEFAULT_JOB, given)
    job["template"] = pod_template(facts, template, f"{where}.template", 0)
    return job


def _labels(facts: ReleaseFacts) -> dict[str, str]:
    return component_labels(facts) | version_label(facts)


def _class(facts: ReleaseFacts) -> ScheduledTaskClassSpec:
    spec = facts.component_class.spec
    if not isinstance(spec, ScheduledTaskClassSpec):
        raise InvalidRequest(f"{facts.class_said} is no class of scheduled tasks")
    return spec
