"""The order of parts."""

from __future__ import annotations

import pytest

from devstack.component import Component
from devstack.errors import DevstackError
from devstack.graph import dependents, ordered

pytestmark = pytest.mark.unit


def part(name: str, *needs: str) -> Component:
    return Component(name=name, argv=("true",), needs=needs)


def test_each_part_comes_after_everything_it_needs() -> None:
    parts = [part("worker", "api", "crds"), part("api", "crds"), part("crds", "etcd"), part("etcd")]

    names = [found.name for found in ordered(parts)]

    assert names == ["etcd", "crds", "api", "worker"]


def test_a_part_that_needs_a_stranger_is_refused_by_both_names() -> None:
    with pytest.raises(DevstackError, match="api needs etcd"):
        ordered([part("api", "etcd")])


def test_parts_that_need_each_other_are_refused() -> None:
    with pytest.raises(DevstackError, match="need each other"):
        ordered([part("a", "b"), part("b", "a")])


def test_two_parts_of_one_name_are_refused() -> None:
    with pytest.raises(DevstackError, match="two parts are named a"):
        ordered([part("a"), part("a")])


def test_dependents_are_those_that_must_stop_first() -> None:
    found = dependents([part("etcd"), part("api", "etcd"), part("worker", "api")])

    assert found == {
        "etcd": frozenset({"api"}),
        "api": frozenset({"worker"}),
        "worker": frozenset(),
    }
