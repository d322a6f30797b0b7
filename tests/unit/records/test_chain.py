from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.records import (
    ChainedFact,
    ChainHead,
    ChainVerifier,
    FaultKind,
    Verification,
    canonical,
    chained,
)
from tests.unit.records.samples import MOMENT, a_fact

pytestmark = pytest.mark.unit


def a_chain(length: int) -> tuple[list[ChainedFact], ChainHead]:
    return chained(ChainHead(organization="acme"), [a_fact(f"s{n}") for n in range(length)])


def verified(rows: Iterable[ChainedFact], head: ChainHead | None = None) -> Verification:
    verifier = ChainVerifier("acme")
    for row in rows:
        verifier.feed(row)
    return verifier.finish(head)


def test_an_untouched_chain_holds() -> None:
    rows, head = a_chain(5)

    found = verified(rows, head)

    assert found.holds
    assert (found.rows, found.head) == (5, head)


def test_an_empty_chain_holds() -> None:
    assert verified([], ChainHead(organization="acme")).holds


def test_a_chain_goes_on_where_it_ended() -> None:
    rows, head = a_chain(2)
    more, end = chained(head, [a_fact("later")])

    assert verified([*rows, *more], end).holds


def test_a_changed_row_is_named_alone() -> None:
    rows, head = a_chain(5)
    rows[2] = replace(rows[2], body=rows[2].body.replace("ada@", "eve@"))

    (fault,) = verified(rows, head).faults

    assert (fault.sequence, fault.kind) == (3, FaultKind.CHANGED)


def test_a_row_that_was_changed_and_hashed_again_breaks_the_row_after_it() -> None:
    rows, head = a_chain(5)
    forged, _ = chained(
        ChainHead(organization="acme", sequence=2, hash=rows[1].hash), [a_fact("forged")]
    )
    rows[2] = forged[0]

    (fault,) = verified(rows, head).faults

    assert (fault.sequence, fault.kind) == (4, FaultKind.REORDERED)


def test_missing_rows_are_named_with_their_numbers() -> None:
    rows, head = a_chain(6)

    faults = verified([*rows[:2], *rows[4:]], head).faults

    assert [(fault.sequence, fault.kind) for fault in faults] == [(3, FaultKind.MISSING)]
    assert "3 to 4" in faults[0].detail


def test_a_chain_that_was_cut_off_is_found_by_its_head() -> None:
    rows, head = a_chain(4)

    (fault,) = verified(rows[:3], head).faults

    assert (fault.sequence, fault.kind) == (4, FaultKind.MISSING)


def test_rows_that_changed_places_are_named() -> None:
    rows, head = a_chain(5)
    rows[1], rows[3] = replace(rows[3], sequence=2), replace(rows[1], sequence=4)

    faults = verified(rows, head).faults

    assert {fault.kind for fault in faults} == {FaultKind.REORDERED}
    assert {2, 4} <= {fault.sequence for fault in faults}


def test_a_row_of_another_organization_is_not_accepted() -> None:
    rows, _ = chained(ChainHead(organization="other"), [a_fact(organization="other")])

    (fault,) = verified(rows).faults

    assert fault.kind is FaultKind.CHANGED


def test_a_key_that_is_not_that_of_the_fact_is_a_change() -> None:
    rows, head = a_chain(2)
    rows[0] = replace(rows[0], key="another")

    assert [fault.sequence for fault in verified(rows, head).faults] == [1]


def test_equal_facts_have_equal_text_in_every_time_zone() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5)))

    assert a_fact(at=elsewhere).at == a_fact().at
    assert canonical(a_fact(at=elsewhere)) == canonical(a_fact())


def test_a_fact_is_read_as_it_was_written() -> None:
    fact = a_fact(reason="line one\nline two; \u00fc \u0000")
    (row,), _ = chained(ChainHead(organization="acme"), [fact])

    assert row.fact == fact


Deed = Callable[[list[ChainedFact], int, int], Sequence[ChainedFact]]


def _drop(rows: list[ChainedFact], one: int, _other: int) -> Sequence[ChainedFact]:
    return [*rows[:one], *rows[one + 1 :]]


def _renumbered(rows: list[ChainedFact], one: int, _other: int) -> Sequence[ChainedFact]:
    kept = _drop(rows, one, 0)
    return [replace(row, sequence=number) for number, row in enumerate(kept, 1)]


def _swap(rows: list[ChainedFact], one: int, other: int) -> Sequence[ChainedFact]:
    rows[one], rows[other] = (
        replace(rows[other], sequence=one + 1),
        replace(rows[one], sequence=other + 1),
    )
    return rows


def _edit(rows: list[ChainedFact], one: int, _other: int) -> Sequence[ChainedFact]:
    rows[one] = replace(rows[one], body=rows[one].body.replace("acme", "acne"))
    return rows


def _duplicate(rows: list[ChainedFact], one: int, _other: int) -> Sequence[ChainedFact]:
    twice = [*rows[: one + 1], *rows[one:]]
    return [replace(row, sequence=number) for number, row in enumerate(twice, 1)]


@given(
    length=st.integers(2, 12),
    one=st.integers(0, 11),
    other=st.integers(0, 11),
    deed=st.sampled_from([_drop, _renumbered, _swap, _edit, _duplicate]),
)
def test_whatever_is_done_to_a_row_is_found(length: int, one: int, other: int, deed: Deed) -> None:
    rows, head = a_chain(length)
    one, other = one % length, other % length
    if one == other:
        other = (one + 1) % length

    assert not verified(deed(rows, one, other), head).holds
