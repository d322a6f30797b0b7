"""Judges single pods: is this one broken in a way that waiting does not mend?

A crash is judged by the second time. A container that ends once is started again at once, and one
such end is what a service does whose database was slower than itself; a container that ends twice
in one rollout is broken, and a crash at start ends twice within seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.policies.objects import LiveObject, condition, name_of, remaining
from domain.policies.verdicts import RolloutState, Verdict


class Patience(BaseModel):
    """How long faults that may pass by themselves are waited for."""

    model_config = ConfigDict(frozen=True)

    unschedulable: timedelta = timedelta(minutes=1)
    """A cluster may be adding a node."""
    image_pull: timedelta = timedelta(seconds=30)
    """A registry may be restarting; an image that does not exist gets no patience."""
    route: timedelta = timedelta(seconds=20)
    """A gateway may not have seen the Service yet."""


_BROKEN = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "InvalidImageName",
        "PostStartHookError",
        "PreCreateHookError",
        "PreStartHookError",
        "RunContainerError",
    }
)
_UNPULLED = frozenset({"ErrImagePull", "ImagePullBackOff", "ImageInspectError"})
_UNSTARTABLE = frozenset({"ContainerCannotRun", "StartError"})
_NO_SUCH_IMAGE = re.compile(
    r"not found|manifest unknown|name unknown|unauthorized|denied|forbidden|authentication required"
    r"|invalid reference|no match for platform",
    re.IGNORECASE,
)


def judge_pod(pod: LiveObject, now: datetime, patience: Patience) -> Verdict | None:
    """Returns why a pod fails or is held up, None when nothing speaks against it."""
    unschedulable = _judge_scheduling(pod, now, patience)
    if unschedulable is not None:
        return unschedulable
    held_up: Verdict | None = None
    for status in _containers(pod):
        verdict = _judge_container(pod, status, now, patience)
        if verdict is not None and verdict.state is RolloutState.FAILED:
            return verdict
        held_up = held_up or verdict
    return held_up


def _containers(pod: LiveObject) -> Iterator[Mapping[str, Any]]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses") or ()
    yield from status.get("containerStatuses") or ()


def _judge_scheduling(pod: LiveObject, now: datetime, patience: Patience) -> Verdict | None:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") != "False" or scheduled.get("reason") != "Unschedulable":
        return None
    left = remaining(scheduled.get("lastTransitionTime"), patience.unschedulable, now)
    message = f"pod {name_of(pod)} fits on no node: {scheduled.get('message', '')}".rstrip(": ")
    return _verdict("Unschedulable", message, left)


def _judge_container(
    pod: LiveObject, status: Mapping[str, Any], now: datetime, patience: Patience
) -> Verdict | None:
    waiting = (status.get("state") or {}).get("waiting") or {}
    reason = str(waiting.get("reason", ""))
    subject = f"container {status.get('name', '')} of pod {name_of(pod)}"
    detail = f": {waiting['message']}" if waiting.get("message") else ""
    if reason in _BROKEN:
        return _verdict(reason, f"{subject} cannot start{detail}", timedelta(0))
    if reason in _UNPULLED:
        created = pod.get("metadata", {}).get("creationTimestamp")
        hopeless = _NO_SUCH_IMAGE.search(detail) is not None
        left = timedelta(0) if hopeless else remaining(created, patience.image_pull, now)
        message = f"image {status.get('image', '')} of {subject} cannot be pulled{detail}"
        return _verdict(reason, message, left)
    return _judge_crash(pod, status, subject)


def _judge_crash(pod: LiveObject, status: Mapping[str, Any], subject: str) -> Verdict | None:
    state = status.get("state") or {}
    ended_now = state.get("terminated") or {}
    ended = ended_now or (status.get("lastState") or {}).get("terminated") or {}
    ends = int(status.get("restartCount", 0)) + bool(ended_now)
    looping = (state.get("waiting") or {}).get("reason") == "CrashLoopBackOff"
    unstartable = ended.get("reason") in _UNSTARTABLE
    # A pod that outlived an earlier release may have a long past: what is ready is not crashing.
    crashed_again = ends > 1 and int(ended.get("exitCode", 0)) != 0 and not status.get("ready")
    if not (looping or crashed_again or (unstartable and ended_now)):
        return None
    return Verdict(
        state=RolloutState.FAILED,
        reason=str(ended["reason"]) if unstartable else "CrashLoopBackOff",
        message=f"{subject} {_end_of(ended)}" + (f" (restarts: {ends - bool(ended_now)})"),
        pod=name_of(pod),
        container=str(status.get("name", "")),
        previous="running" in state,
    )


def _end_of(ended: Mapping[str, Any]) -> str:
    """Says how a container ended: ``exited with code 3``, ``was killed: OOMKilled``."""
    reason = str(ended.get("reason", ""))
    if reason == "OOMKilled":
        return "was killed for using more memory than its limit"
    if reason in _UNSTARTABLE:
        return f"could not be started: {ended.get('message', reason)}"
    if "exitCode" not in ended:
        return "keeps crashing"
    return f"exited with code {ended['exitCode']}"


def _verdict(reason: str, message: str, left: timedelta) -> Verdict:
    """Fails when no patience is left, else says what is waited for and when to look again."""
    if left:
        return Verdict(state=RolloutState.PROGRESSING, reason=reason, message=message, recheck=left)
    return Verdict(state=RolloutState.FAILED, reason=reason, message=message)
