"""Joined names (docs/decisions/0001)."""

from __future__ import annotations

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from domain.ids import joined, namespace

LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
PARTS = st.tuples(LABELS, LABELS, LABELS)


def test_usual_names_stay_readable() -> None:
    assert namespace("acme", "shop", "development") == "acme-shop-development"


def test_two_tenants_never_share_a_namespace_through_a_hyphen() -> None:
    assert joined("shop-eu", "web", "dev") != joined("shop", "eu-web", "dev")
    assert joined("a-b", "c", "d") != joined("a", "b", "c-d")


def test_a_plain_name_never_ends_like_a_hash() -> None:
    assert not joined("x", "y", "0123456789abcdef").endswith("-0123456789abcdef")


@given(PARTS, PARTS)
def test_different_parts_give_different_names(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assume(one != other)
    assert joined(*one) != joined(*other)


@given(st.lists(LABELS, min_size=6, max_size=6), st.integers(1, 4), st.integers(1, 4))
def test_the_same_text_cut_at_other_places_gives_another_name(
    words: list[str], first: int, second: int
) -> None:
    assume(first != second)
    cut = [("-".join(words[:at]), "-".join(words[at:5]), words[5]) for at in (first, second)]
    assert joined(*cut[0]) != joined(*cut[1])


@given(PARTS)
def test_every_name_is_a_label(parts: tuple[str, ...]) -> None:
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", joined(*parts))
