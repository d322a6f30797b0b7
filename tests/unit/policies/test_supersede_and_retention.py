from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policies.retention import KEPT_RELEASES, Stored, expired
from domain.policies.supersede import BuildInProgress, superseded_builds
from domain.resources.organization import SupersedePolicy

pytestmark = pytest.mark.unit

START = datetime(2026, 1, 1, tzinfo=UTC)


def build(key: str, minute: int = 0, branch: str = "main", commit: str = "") -> BuildInProgress:
    started = START + timedelta(minutes=minute)
    return BuildInProgress(id=key, branch=branch, commit=commit or key, started=started)


def test_newer_commit_supersedes_older_builds_of_its_branch() -> None:
    others = [build("b", 2), build("a", 1), build("other", 1, branch="next"), build("later", 9)]
    assert superseded_builds(build("new", 5), others, SupersedePolicy.SAME_BRANCH) == ("a", "b")


def test_same_commit_is_not_superseded_by_itself() -> None:
    others = [build("a", 1, commit="same")]
    newer = build("new", 5, commit="same")
    assert superseded_builds(newer, others, SupersedePolicy.SAME_BRANCH) == ()


def test_organization_may_want_every_commit_built() -> None:
    assert superseded_builds(build("new", 5), [build("a", 1)], SupersedePolicy.NEVER) == ()


def test_unknown_branch_supersedes_nothing() -> None:
    others = [build("a", 1, branch="")]
    newer = build("new", 5, branch="")
    assert superseded_builds(newer, others, SupersedePolicy.SAME_BRANCH) == ()


@given(minutes=st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_of_builds_that_see_each_other_exactly_one_goes_on(minutes: list[int]) -> None:
    builds = [build(f"build-{index}", minute) for index, minute in enumerate(minutes)]
    stopped = {
        key
        for newer in builds
        for key in superseded_builds(newer, builds, SupersedePolicy.SAME_BRANCH)
    }
    assert len(stopped) == len(builds) - 1


def release(index: int) -> Stored:
    return Stored(name=f"release-{index}", last_used=START + timedelta(hours=index))


def test_last_ten_releases_are_kept_and_the_oldest_goes_first() -> None:
    releases = [release(index) for index in range(13)]
    assert expired(releases, (), KEPT_RELEASES) == ("release-0", "release-1", "release-2")


def test_release_in_use_is_never_expired() -> None:
    releases = [release(index) for index in range(13)]
    assert expired(releases, {"release-1"}, KEPT_RELEASES) == ("release-0", "release-2")


@given(count=st.integers(0, 25), used=st.sets(st.integers(0, 25)), keep=st.integers(0, 12))
def test_what_is_kept_is_the_newest_and_what_is_used(count: int, used: set[int], keep: int) -> None:
    in_use = {f"release-{index}" for index in used}
    gone = set(expired([release(index) for index in range(count)], in_use, keep))
    assert not gone & in_use
    assert gone == {f"release-{index}" for index in range(count - keep)} - in_use
