from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic_core import to_json

from clients.kubernetes import Expired
from clients.kubernetes.errors import from_answer
from domain.errors import (
    Conflict,
    Denied,
    DependencyUnavailable,
    Errored,
    FieldConflict,
    InvalidRequest,
    NotFound,
    PlatformError,
    RateLimited,
    StaleRevision,
)

pytestmark = pytest.mark.unit


def translated(code: int, status: dict[str, Any], **more: Any) -> PlatformError:
    return from_answer(code, to_json(status), what="Deployment web in acme", **more)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (400, {"message": "bad"}, InvalidRequest),
        (401, {"message": "who"}, Errored),
        (404, {"message": "gone"}, NotFound),
        (409, {"reason": "AlreadyExists"}, Conflict),
        (409, {"reason": "Conflict", "message": "the object has been modified"}, StaleRevision),
        (410, {"reason": "Expired"}, Expired),
        (413, {"message": "large"}, InvalidRequest),
        (429, {"message": "slow"}, RateLimited),
        (500, {"message": "etcd"}, DependencyUnavailable),
        (500, {"message": "failed to create typed patch object (a/b)"}, InvalidRequest),
        (503, {"message": "soon"}, DependencyUnavailable),
        (418, {"message": "tea"}, Errored),
    ],
)
def test_each_status_has_its_error(
    code: int, status: dict[str, Any], expected: type[PlatformError]
) -> None:
    assert type(translated(code, status)) is expected


def test_field_conflict_names_fields_and_their_managers() -> None:
    error = translated(
        409,
        {
            "reason": "Conflict",
            "details": {
                "causes": [
                    {
                        "reason": "FieldManagerConflict",
                        "message": 'conflict with "kubectl" using apps/v1',
                        "field": ".spec.replicas",
                    },
                    {
                        "reason": "FieldManagerConflict",
                        "message": 'conflict with "hpa"',
                        "field": ".spec.paused",
                    },
                ]
            },
        },
    )

    assert isinstance(error, FieldConflict)
    assert error.facts == {".spec.replicas": "kubectl", ".spec.paused": "hpa"}
    assert ".spec.replicas (kubectl)" in error.message


def test_missing_right_of_the_platform_is_a_fault_and_a_quota_is_a_refusal() -> None:
    rbac = translated(403, {"message": 'pods is forbidden: User "x" cannot list resource "pods"'})
    quota = translated(403, {"message": 'pods "web" is forbidden: exceeded quota: small'})

    assert type(rbac) is Errored
    assert type(quota) is Denied


def test_terminating_namespace_is_a_conflict() -> None:
    status = {"message": "no", "details": {"causes": [{"reason": "NamespaceTerminating"}]}}

    assert type(translated(403, status)) is Conflict


def test_invalid_fields_are_told_one_by_one() -> None:
    causes = [{"field": "spec.replicas", "message": "must be positive", "reason": "X"}]
    error = translated(422, {"message": "invalid", "details": {"causes": causes}})

    assert error.facts == {"spec.replicas": "must be positive"}


def test_rejected_secret_values_are_not_quoted() -> None:
    causes = [{"field": "data[password]", "message": 'Invalid value: "hunter2"', "reason": "Bad"}]
    status = {"message": 'Invalid value: "hunter2"', "reason": "Invalid",
              "details": {"causes": causes}}  # fmt: skip
    error = translated(422, status, confidential=True)

    assert "hunter2" not in str(error) + str(error.facts)
    assert "data[password]" in str(error)


def test_long_answers_of_a_proxy_are_cut() -> None:
    error = from_answer(502, b"<html>" + b"x" * 10_000, what="Pod a")

    assert len(str(error)) < 320


def test_retry_after_is_kept() -> None:
    error = translated(429, {}, retry_after="7")

    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(seconds=7)


def test_retry_after_as_a_date_falls_back_to_a_second() -> None:
    error = translated(429, {}, retry_after="Fri, 31 Dec 1999 23:59:59 GMT")

    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(seconds=1)
