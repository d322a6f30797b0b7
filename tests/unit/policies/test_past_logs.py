from __future__ import annotations

import json
import re

import pytest

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
