from __future__ import annotations

import pytest

from domain import errors, ids
from domain.errors import InvalidRequest

COMMIT = "0123456789abcdef0123456789abcdef01234567"

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("made", "taken_apart"),
    [
        (ids.build_id("acme", "web", COMMIT), ("build", "acme", "web", COMMIT[:12])),
        (ids.build_request_id("acme", "web", "k-1"), ("build-request", "acme", "web", "k-1")),
        (ids.deploy_id("acme", "web", "dev"), ("deploy", "acme", "web", "dev")),
    ],
)
def test_an_id_taken_apart_gives_what_it_was_made_of(
    made: str, taken_apart: tuple[str, ...]
) -> None:
    parsed = ids.parse(made)

    assert (parsed.kind, parsed.organization, parsed.component, parsed.key) == taken_apart
    assert str(parsed) == made


@pytest.mark.parametrize(
    "text",
    ["", "build", "build/acme/web", "build/acme/web/a/b", "sweep/acme/web/x", "deploy/Acme/web/x"],
)
def test_what_is_no_id_of_an_operation_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequest, match="is not the id of an operation") as refused:
        ids.parse(text)

    assert repr(text) in refused.value.message


@pytest.mark.parametrize("commit", ["main", COMMIT[:12], COMMIT.upper(), COMMIT + "0"])
def test_a_build_is_named_by_a_complete_commit_only(commit: str) -> None:
    assert not ids.is_commit(commit)
    with pytest.raises(InvalidRequest, match="not a complete Git commit id"):
        ids.build_id("acme", "web", commit)


@pytest.mark.parametrize("name", ["", "Web", "-web", "web-", "we b", "../web", "a" * 64])
def test_a_name_that_is_no_dns_label_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"component .* is not a name"):
        ids.deploy_id("acme", name, "dev")


def test_a_long_name_is_cut_and_stays_different_from_its_neighbours() -> None:
    first, second = ("a" * 63 + "b", "a" * 63 + "c")

    assert ids.build_name("web", COMMIT) == "web-0123456789ab"
    assert len(ids.fitted(first)) <= 63
    assert ids.fitted(first) == ids.fitted(first)
    assert ids.fitted(first) != ids.fitted(second)


def test_an_error_is_found_by_its_wire_type_and_a_foreign_one_is_not() -> None:
    assert errors.by_type("CompensationFailed") is errors.CompensationFailed
    assert errors.by_type("PlatformError") is errors.PlatformError
    assert errors.by_type("ValueError") is None


def test_a_lane_of_builds_has_an_id_that_is_none_of_an_operation() -> None:
    assert ids.build_lane_id("acme") == "build-lane/acme"
    with pytest.raises(InvalidRequest):
        ids.parse(ids.build_lane_id("acme"))
    with pytest.raises(InvalidRequest, match="organization"):
        ids.build_lane_id("Acme/web")
