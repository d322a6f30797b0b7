from __future__ import annotations

import json
from datetime import timedelta

import pytest
from temporalio.service import RPCError, RPCStatusCode

from api.serving.problems import from_temporal, from_validation, problem, status_of
from domain import errors


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidRequest("x"), 422),
        (errors.NotFound("x"), 404),
        (errors.FieldConflict("x"), 409),
        (errors.Unauthenticated("x"), 401),
        (errors.Superseded("x"), 403),
        (errors.RolloutFailed("x"), 422),
        (errors.DependencyUnavailable("x"), 503),
        (errors.CompensationFailed("x"), 502),
        (errors.RateLimited("x"), 429),
    ],
)
def test_each_error_has_the_status_of_its_nearest_known_ancestor(
    error: errors.PlatformError, status: int
) -> None:
    assert status_of(error) == status


def test_every_error_of_the_domain_has_a_status_that_is_no_bug() -> None:
    for name in errors.__all__:
        kind = getattr(errors, name)
        if isinstance(kind, type) and kind is not errors.PlatformError:
            assert status_of(kind("x")) < 504
            assert status_of(kind("x")) != 500


def test_a_problem_tells_what_where_and_what_to_do() -> None:
    error = errors.FieldConflict("Component web in acme: conflict", facts={".spec.x": "kubectl"})
    answer = problem(error, request_id="r1", instance="/v1/apply")
    content = json.loads(bytes(answer.body))

    assert answer.media_type == "application/problem+json"
    assert content == {
        "type": "urn:pavane:problem:FieldConflict",
        "title": "Field conflict",
        "status": 409,
        "detail": "Component web in acme: conflict",
        "instance": "/v1/apply",
        "requestId": "r1",
        "facts": {".spec.x": "kubectl"},
    }


def test_a_rate_limit_names_the_time_to_wait() -> None:
    answer = problem(errors.RateLimited("busy", retry_after=timedelta(seconds=1.2)))

    assert answer.headers["retry-after"] == "2"


def test_a_missing_token_names_the_scheme() -> None:
    assert "Bearer" in problem(errors.Unauthenticated("no")).headers["www-authenticate"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (RPCStatusCode.NOT_FOUND, errors.NotFound),
        (RPCStatusCode.UNAVAILABLE, errors.DependencyUnavailable),
        (RPCStatusCode.RESOURCE_EXHAUSTED, errors.RateLimited),
        (RPCStatusCode.PERMISSION_DENIED, errors.Errored),
    ],
)
def test_answers_of_temporal_become_errors_of_the_domain(
    status: RPCStatusCode, kind: type[errors.PlatformError]
) -> None:
    assert type(from_temporal(RPCError("said", status, b""))) is kind


def test_a_rejected_value_is_not_repeated() -> None:
    complaint = {"loc": ("body", "password"), "msg": "is too short", "input": "hunter2"}

    error = from_validation([complaint])

    assert error.facts == {"body.password": "is too short"}
    assert "hunter2" not in error.message
