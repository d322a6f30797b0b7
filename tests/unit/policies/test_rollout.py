from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policies.rollout import judge_deployment, judge_route
from domain.policies.verdicts import RolloutState, Verdict, combined
from tests.unit.policies.live import (
    NOW,
    ago,
    deployment,
    ended,
    fact,
    pod,
    replica_set,
    route,
    waiting,
    warning,
)

pytestmark = pytest.mark.unit

PROGRESSING = deployment(replicas=3, updated=1, available=2)


def judged(
    *pods: dict[str, Any],
    of: dict[str, Any] | None = None,
    sets: tuple[dict[str, Any], ...] | None = None,
    events: tuple[dict[str, Any], ...] = (),
) -> Verdict:
    return judge_deployment(
        PROGRESSING if of is None else of,
        (replica_set("1"), replica_set()) if sets is None else sets,
        pods,
        events,
        now=NOW,
    )


def test_ready_when_updated_equals_desired_equals_available() -> None:
    verdict = judged(of=deployment())
    assert (verdict.state, verdict.replicas) == (RolloutState.READY, 2)
    assert verdict.message == "2 of 2 replicas are ready"


def test_a_deployment_that_does_not_say_wants_one_replica() -> None:
    verdict = judged(of=deployment(wanted=None, replicas=1, updated=1, available=1))
    assert (verdict.state, verdict.replicas) == (RolloutState.READY, 1)


@given(
    wanted=st.integers(0, 4),
    replicas=st.integers(0, 5),
    updated=st.integers(0, 5),
    available=st.integers(0, 5),
    observed=st.integers(1, 3),
)
def test_never_ready_before_all_counts_agree(
    wanted: int, replicas: int, updated: int, available: int, observed: int
) -> None:
    live = deployment(
        wanted=wanted, replicas=replicas, updated=updated, available=available, observed=observed
    )
    agree = observed == 3 and wanted == replicas == updated == available
    assert (judged(of=live).state is RolloutState.READY) == agree


def test_old_status_says_nothing() -> None:
    verdict = judged(of=deployment(observed=2))
    assert (verdict.state, verdict.reason) == (RolloutState.PROGRESSING, "Pending")


def test_pods_of_the_release_before_last_are_told_to_be_leaving() -> None:
    verdict = judged(of=deployment(replicas=3, updated=2, available=2))
    assert verdict.message == "1 replicas of the previous release are leaving"


def test_progress_is_counted() -> None:
    verdict = judged(pod(ready=True))
    assert verdict.message == "1 of 2 replicas of the new release are ready"
    assert (verdict.replicas, verdict.recheck) == (1, None)


def test_broken_pods_of_the_older_release_do_not_count() -> None:
    old = pod("web-1-a", revision="1", state=waiting("CrashLoopBackOff"), restarts=9)
    assert judged(old).state is RolloutState.PROGRESSING
    assert judged(old, sets=(replica_set("1"),)).state is RolloutState.PROGRESSING


def test_pods_that_are_leaving_and_those_of_strangers_do_not_count() -> None:
    broken = waiting("InvalidImageName")
    assert judged(pod(state=broken, leaving=True)).state is RolloutState.PROGRESSING
    stranger = replica_set(owner="another")
    assert judged(pod(state=broken), sets=(stranger,)).state is RolloutState.PROGRESSING


def test_crash_loop_fails_with_the_log_to_read() -> None:
    last = ended(3)
    verdict = judged(pod(state=waiting("CrashLoopBackOff"), last=last, restarts=1))
    assert (verdict.state, verdict.reason) == (RolloutState.FAILED, "CrashLoopBackOff")
    assert verdict.message == "container main of pod web-2-a exited with code 3 (restarts: 1)"
    assert (verdict.pod, verdict.container, verdict.previous) == ("web-2-a", "main", False)


def test_second_crash_fails_before_the_back_off_is_reported() -> None:
    assert judged(pod(state=ended(1), last=ended(1), restarts=1)).state is RolloutState.FAILED
    again = judged(pod(last=ended(1), restarts=2))
    assert (again.state, again.previous) == (RolloutState.FAILED, True)


def test_a_single_crash_may_be_a_slow_dependency() -> None:
    assert judged(pod(state=ended(1))).state is RolloutState.PROGRESSING
    assert judged(pod(last=ended(1), restarts=1)).state is RolloutState.PROGRESSING


def test_a_ready_container_with_a_long_past_is_not_crashing() -> None:
    assert judged(pod(last=ended(1), restarts=7, ready=True)).state is RolloutState.PROGRESSING


def test_init_container_that_succeeds_at_last_is_no_crash() -> None:
    init = {"name": "prepare", "restartCount": 3, "state": ended(0), "lastState": ended(1)}
    assert judged(pod(init=[init])).state is RolloutState.PROGRESSING
    looping = init | {"state": waiting("CrashLoopBackOff")}
    assert judged(pod(init=[looping])).container == "prepare"


def test_ways_to_end_are_told_in_words() -> None:
    looping = waiting("CrashLoopBackOff")
    killed = judged(pod(state=looping, last=ended(137, "OOMKilled"), restarts=2))
    assert "was killed for using more memory than its limit" in killed.message
    assert "keeps crashing" in judged(pod(state=looping)).message
    unstartable = judged(pod(state=ended(128, "StartError", "exec: no such file")))
    assert unstartable.reason == "StartError"
    assert "could not be started: exec: no such file" in unstartable.message


@pytest.mark.parametrize(
    "reason", ["CreateContainerConfigError", "InvalidImageName", "RunContainerError"]
)
def test_what_waiting_does_not_mend_fails_at_once(reason: str) -> None:
    verdict = judged(pod(state=waiting(reason, "no such key")))
    assert (verdict.state, verdict.reason) == (RolloutState.FAILED, reason)
    assert verdict.message == "container main of pod web-2-a cannot start: no such key"


def test_image_that_does_not_exist_fails_at_once() -> None:
    verdict = judged(pod(state=waiting("ErrImagePull", "registry/web: not found")))
    assert (verdict.state, verdict.reason) == (RolloutState.FAILED, "ErrImagePull")
    assert "image registry/web of container main" in verdict.message


def test_registry_that_does_not_answer_is_waited_for_a_little() -> None:
    unreachable = waiting("ImagePullBackOff", "dial tcp: i/o timeout")
    patient = judged(pod(state=unreachable, age=10))
    assert (patient.state, patient.recheck) == (RolloutState.PROGRESSING, timedelta(seconds=20))
    assert judged(pod(state=unreachable, age=31)).state is RolloutState.FAILED


def unscheduled(seconds: float) -> dict[str, Any]:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 Insufficient cpu.",
        "lastTransitionTime": ago(seconds=seconds),
    }
    return pod(conditions=[condition], state={})


def test_unschedulable_pod_fails_when_the_grace_is_over() -> None:
    verdict = judged(unscheduled(15))
    assert (verdict.state, verdict.recheck) == (RolloutState.PROGRESSING, timedelta(seconds=45))
    assert "fits on no node: 0/1 nodes are available" in verdict.message
    late = judged(unscheduled(60))
    assert (late.state, late.reason) == (RolloutState.FAILED, "Unschedulable")


def test_earliest_recheck_of_several_pods_counts() -> None:
    slow = pod("web-2-b", state=waiting("ErrImagePull", "timeout"), age=29)
    verdict = judged(unscheduled(15), slow)
    assert verdict.recheck == timedelta(seconds=1)


def test_grace_without_a_time_stamp_begins_now() -> None:
    timeless = pod(state=waiting("ErrImagePull", "timeout"))
    del timeless["metadata"]["creationTimestamp"]
    assert judged(timeless).recheck == timedelta(seconds=30)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("pods is forbidden: exceeded quota: small", "QuotaExceeded"),
        ("pods is forbidden: violates PodSecurity restricted", "PodSecurityViolation"),
        ("pods is forbidden: no", "FailedCreate"),
        ("Pod is invalid: spec", "FailedCreate"),
    ],
)
def test_refused_pods_fail_with_the_reason(message: str, reason: str) -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "message": message}
    verdict = judged(sets=(replica_set(conditions=[failure]),))
    assert (verdict.state, verdict.reason) == (RolloutState.FAILED, reason)
    assert verdict.message == f"pods cannot be created: {message}"


def test_a_webhook_that_does_not_answer_is_waited_for() -> None:
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "failed calling webhook",
    }
    verdict = judged(sets=(replica_set(conditions=[failure]),))
    assert (verdict.state, verdict.reason) == (RolloutState.PROGRESSING, "FailedCreate")


def test_replica_set_that_cannot_be_created_fails() -> None:
    creation = {
        "type": "Progressing",
        "status": "False",
        "reason": "ReplicaSetCreateError",
        "message": "replicasets is forbidden: exceeded quota: sets",
    }
    live = deployment(updated=0, conditions=[creation])
    assert judged(of=live, sets=()).reason == "QuotaExceeded"


def test_passed_deadline_fails_with_the_newest_warning_and_the_log_to_read() -> None:
    passed = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    live = deployment(replicas=3, updated=1, available=2, conditions=[passed])
    events = (
        warning("web-2-a", "Readiness probe failed: 503", ago(seconds=1), "series"),
        warning("web-2-a", "older", ago(seconds=9)),
        warning("web-2-a", "oldest", ago(seconds=99), "eventTime"),
        warning("another", "not ours", ago(seconds=0)),
        warning("web-2-a", "normal", ago(seconds=0)) | {"type": "Normal"},
    )
    verdict = judged(pod(), of=live, events=events)
    assert (verdict.state, verdict.reason) == (RolloutState.FAILED, "ProgressDeadlineExceeded")
    assert verdict.message == (
        "0 of 2 replicas of the new release are ready within the progress deadline: "
        "Readiness probe failed: 503"
    )
    assert (verdict.pod, verdict.container) == ("web-2-a", "main")
    bare = judged(of=live)
    assert (bare.pod, bare.container) == ("", "")


@pytest.mark.parametrize(
    ("late", "state"),
    [("web-2", RolloutState.FAILED), ("web-1", RolloutState.PROGRESSING)],
    ids=["the present template", "the template before"],
)
def test_a_passed_deadline_counts_for_the_template_it_tells_of(
    late: str, state: RolloutState
) -> None:
    passed = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": f'ReplicaSet "{late}" has timed out progressing.',
    }
    live = deployment(replicas=3, updated=1, available=2, conditions=[passed])

    assert judged(pod(), of=live).state is state


def test_ready_pods_of_the_release_before_are_not_taken_for_those_of_the_new_one() -> None:
    live = deployment(wanted=1, replicas=2, updated=1, available=1)

    assert judged(pod(), of=live).message == "0 of 1 replicas of the new release are ready"


def test_newest_warning_is_told_while_waiting() -> None:
    events = (warning("web-2-a", "Readiness probe failed", ago(seconds=1)),)
    assert judged(pod(), events=events).message.endswith("are ready: Readiness probe failed")


def test_route_is_ready_when_every_gateway_took_it_up() -> None:
    accepted = (fact("Accepted"), fact("ResolvedRefs"))
    assert judge_route(route(*accepted), NOW).state is RolloutState.READY
    assert judge_route(route(*accepted, wanted=2), NOW).state is RolloutState.PROGRESSING
    assert judge_route(route(*accepted, wanted=2, parents=2), NOW).state is RolloutState.READY


def test_route_with_an_old_status_or_none_is_waited_for() -> None:
    old = (fact("Accepted", generation=1), fact("ResolvedRefs", generation=1))
    assert judge_route(route(*old), NOW).reason == "RoutePending"
    assert judge_route(route(fact("Accepted")), NOW).state is RolloutState.PROGRESSING
    assert judge_route(route(parents=0), NOW).state is RolloutState.PROGRESSING


def test_route_that_is_not_accepted_fails() -> None:
    refused = fact("Accepted", "False", reason="NotAllowedByListeners", message="no listener")
    verdict = judge_route(route(refused), NOW)
    assert (verdict.state, verdict.reason) == (RolloutState.FAILED, "NotAllowedByListeners")
    assert verdict.message == "route web is refused by its gateway: no listener"


def test_backend_that_is_not_found_is_waited_for_a_little() -> None:
    def judged_after(seconds: float) -> Verdict:
        missing = fact("ResolvedRefs", "False", lastTransitionTime=ago(seconds=seconds))
        return judge_route(route(fact("Accepted"), missing), NOW)

    assert judged_after(5).recheck == timedelta(seconds=15)
    assert (judged_after(20).state, judged_after(20).reason) == (
        RolloutState.FAILED,
        "NotResolvedRefs",
    )


states = st.builds(
    Verdict,
    state=st.sampled_from(RolloutState),
    reason=st.just("Reason"),
    message=st.just(""),
    replicas=st.integers(0, 3),
    recheck=st.none() | st.just(timedelta(seconds=1)) | st.just(timedelta(seconds=2)),
)


@given(parts=st.lists(states, min_size=1))
def test_the_whole_is_ready_when_all_parts_are_and_failed_when_one_is(
    parts: list[Verdict],
) -> None:
    whole = combined(parts)
    found = {part.state for part in parts}
    assert (whole.state is RolloutState.FAILED) == (RolloutState.FAILED in found)
    assert (whole.state is RolloutState.READY) == (found == {RolloutState.READY})
    assert whole.replicas == sum(part.replicas for part in parts)


def test_nothing_to_wait_for_is_ready() -> None:
    assert combined([]).state is RolloutState.READY
