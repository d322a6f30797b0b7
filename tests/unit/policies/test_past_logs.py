from __future__ import annotations

import json
import re

import pytest

from domain import ids
from domain.deliveries.logs import LogStore
from domain.policies.log_lines import LogLine
from domain.policies.past_logs import nanoseconds_of, past_lines, past_query, rfc3339

STORE = LogStore(name="logs", url="http://logs")
AT = 1_795_000_000_000_000_007


def pods(query: str, sign: str = "=~") -> re.Pattern[str]:
    """The expression for names of pods; a Loki matches whole values."""
    found = re.search(f'pod{sign}("[^"]*")', query)
    assert found is not None
    return re.compile(json.loads(found[1]))


@pytest.mark.parametrize(
    ("pod", "is_of_web"),
    [
        ("web-6d4cf56db6-x7k2p", True),
        ("web-29012345-x7k2p", True),
        ("web-run-0123456789ab-x7k2p", True),
        ("web-api-6d4cf56db6-x7k2p", False),
        ("web-2-6d4cf56db6-x7k2p", False),
        ("website-6d4cf56db6-x7k2p", False),
        ("web", False),
    ],
)
def test_pods_of_other_components_are_not_asked_for(pod: str, is_of_web: bool) -> None:
    query = past_query(STORE, "acme-shop-dev", "web")

    assert bool(pods(query).fullmatch(pod)) is is_of_web
    assert query.startswith('{namespace="acme-shop-dev", ')


LONG = "checkout-of-the-whole-shop-with-all-its-many-parts-x"
"""52 characters: the longest name of a scheduled task."""


@pytest.mark.parametrize(
    ("component", "pod"),
    [
        (LONG[:47], f"{LONG[:47]}-6d4cf56db6x7k2p"),
        (LONG[:48], f"{LONG[:48]}-6d4cf56dbx7k2p"),
        (LONG, f"{LONG}-29012x7k2p"),
        (LONG[:49], f"{LONG[:49]}-29012345x7k2p"),
        ("x" * 58, "x" * 58 + "x7k2p"),
        ("x" * 63, "x" * 58 + "x7k2p"),
        (LONG[1:47], f"{LONG[1:47]}-run-0123456x7k2p"),
    ],
)
def test_pods_whose_names_kubernetes_cut_are_asked_for(component: str, pod: str) -> None:
    assert len(pod) == 63
    assert pods(past_query(STORE, "acme-shop-dev", component)).fullmatch(pod)
    assert not pods(past_query(STORE, "acme-shop-dev", component[:40])).fullmatch(pod)


def test_runs_by_hand_of_a_long_name_are_asked_for_by_the_name_their_job_was_given() -> None:
    job = ids.fitted(f"{LONG}-run-0123456789ab")
    pod = f"{job}-"[:58] + "x7k2p"

    assert pods(past_query(STORE, "acme-shop-dev", LONG)).fullmatch(pod)


def test_a_name_that_begins_like_that_of_a_task_is_not_taken_for_its_runs() -> None:
    longer = pods(past_query(STORE, "acme-shop-dev", f"{LONG}-and-more"))

    assert not longer.fullmatch(f"{LONG}-29012x7k2p")
    assert not longer.fullmatch(f"{LONG}-6d4cfx7k2p")


def test_a_store_that_tells_the_component_is_asked_for_that_alone() -> None:
    store = STORE.model_copy(update={"component_label": "component"})

    query = past_query(store, "acme-shop-dev", "web")

    assert query == '{namespace="acme-shop-dev", component="web"}'


def test_labels_are_those_of_the_store_and_pods_that_are_there_are_left_out() -> None:
    store = STORE.model_copy(update={"namespace_label": "kubernetes_namespace"})
    living = ("web-6d4cf56db6-x7k2p", "web-6d4cf56db6-q9z8w")

    query = past_query(store, "acme-shop-dev", "web", living)

    assert query.startswith('{kubernetes_namespace="acme-shop-dev", ')
    assert all(pods(query, "!~").fullmatch(one) for one in living)
    assert not pods(query, "!~").fullmatch("web-6d4cf56db6-g00ne")


def test_an_entry_of_several_lines_is_told_line_by_line() -> None:
    labels = {"pod": "web-1", "container": "main"}

    lines = list(past_lines(STORE, labels, AT, "one\ntwo\n"))

    assert [line.text for line in lines] == [b"one", b"two"]
    assert {line.time for line in lines} == {rfc3339(AT)}
    assert lines[0].shown() == b"[web-1] one\n"
    assert all(LogLine.parse(line.copied().rstrip(b"\n")) == line for line in lines)


def test_what_others_named_cannot_break_a_copy() -> None:
    (line,) = past_lines(STORE, {"pod": "a b\nc", "container": "x y"}, AT, "")

    assert (line.source, line.label) == ("past/a_b_c/x_y", "a_b_c/x_y")


def test_times_keep_their_nanoseconds() -> None:
    assert rfc3339(AT).endswith(".000000007Z")
    assert nanoseconds_of(f"{rfc3339(AT)[:19]}Z") == AT - 7
