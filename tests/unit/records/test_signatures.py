from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.head_keys import HeadKeys
from domain.errors import DependencyUnavailable
from domain.records import (
    ChainedFact,
    ChainHead,
    HeadSignature,
    SignedChainVerifier,
    Verification,
    chained,
)
from tests.unit.records.samples import a_fact
from tests.unit.records.signing import LocalSigner

pytestmark = pytest.mark.unit
SIGNER = LocalSigner()


@pytest.fixture
def keys(tmp_path: Path) -> HeadKeys:
    (tmp_path / "pavane-audit-1.pem").write_text(SIGNER.pem)
    return HeadKeys(tmp_path)


def a_chain(length: int = 5, **changes: str) -> tuple[list[ChainedFact], ChainHead]:
    facts = (a_fact(f"s{number}", **changes) for number in range(length))
    return chained(ChainHead(organization="acme"), facts)


def signature_of(row: ChainedFact, signer: LocalSigner = SIGNER) -> HeadSignature:
    head = ChainHead(organization=row.organization, sequence=row.sequence, hash=row.hash)
    return signer.head(head)


def verified(
    rows: Sequence[ChainedFact],
    head: ChainHead,
    signatures: Sequence[HeadSignature],
    keys: HeadKeys,
) -> Verification:
    verifier = SignedChainVerifier("acme", signatures, keys.refuted)
    for row in rows:
        verifier.feed(row)
    return verifier.finish(head, keys_known=keys.known)


def faults(found: Verification) -> list[tuple[int, str]]:
    return [(fault.sequence, fault.kind.value) for fault in found.faults]


def test_a_chain_says_up_to_which_row_it_is_signed_and_by_which_key(keys: HeadKeys) -> None:
    rows, head = a_chain()

    found = verified(rows, head, [signature_of(rows[1]), signature_of(rows[3])], keys)

    assert found.holds
    assert (found.signed, found.signing_key, found.keys_known) == (4, "pavane-audit:1", True)
    assert found.signed_at == signature_of(rows[3]).at


def test_a_chain_nobody_signed_holds_and_says_that_nothing_is_signed(keys: HeadKeys) -> None:
    rows, head = a_chain()

    found = verified(rows, head, [], keys)

    assert (found.holds, found.signed) == (True, 0)


@given(signed=st.integers(1, 5), changed=st.integers(0, 4))
def test_a_chain_written_anew_from_any_row_is_found_by_a_signature_at_or_behind_it(
    signed: int, changed: int
) -> None:
    rows, _ = a_chain()
    facts = [row.fact for row in rows]
    facts[changed] = facts[changed].model_copy(update={"actor": "eve@example.com"})
    anew, head = chained(ChainHead(organization="acme"), facts)

    found = verified(anew, head, [signature_of(rows[signed - 1])], HeadKeys(None))

    assert faults(found) == ([(signed, "unsigned")] if changed < signed else [])
    assert found.signed == (0 if changed < signed else signed)


def test_a_chain_cut_together_with_its_head_is_found_by_the_signature_of_what_is_gone(
    keys: HeadKeys,
) -> None:
    rows, _ = a_chain()
    shorter, head = a_chain(3)

    found = verified(shorter, head, [signature_of(rows[4])], keys)

    assert faults(found) == [(5, "missing")]


def test_a_signature_by_a_key_that_is_not_known_proves_nothing(keys: HeadKeys) -> None:
    rows, head = a_chain()
    foreign = signature_of(rows[4], LocalSigner())

    found = verified(rows, head, [foreign], keys)

    assert faults(found) == [(5, "unsigned")]
    assert "none of the keys known here" in found.faults[0].detail


def test_without_known_keys_a_foreign_signature_stands_and_the_answer_says_so() -> None:
    rows, head = a_chain()

    found = verified(rows, head, [signature_of(rows[4], LocalSigner())], HeadKeys(None))

    assert (found.holds, found.signed, found.keys_known) == (True, 5, False)


@pytest.mark.parametrize(
    "change",
    [
        {"signature": "bm90IGEgc2lnbmF0dXJl"},
        {"signature": "not base64"},
        {"public_key": ""},
        {"public_key": "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"},
    ],
)
def test_a_signature_that_was_changed_does_not_stand(
    change: dict[str, str], keys: HeadKeys
) -> None:
    rows, head = a_chain()
    changed = signature_of(rows[4]).model_copy(update=change)

    assert faults(verified(rows, head, [changed], keys)) == [(5, "unsigned")]


def test_a_signature_of_one_organization_says_nothing_about_another(keys: HeadKeys) -> None:
    rows, head = a_chain()
    signature = signature_of(rows[4])
    other = signature_of(rows[4]).model_copy(update={"organization": "other"})

    assert keys.refuted(signature) == ""
    assert "is not that of" in keys.refuted(other)
    assert verified(rows, head, [signature], keys).holds


def test_a_folder_without_a_key_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DependencyUnavailable, match=r"has no \*\.pem file"):
        HeadKeys(tmp_path)
    (tmp_path / "other.pem").write_text("something else")
    with pytest.raises(DependencyUnavailable, match=r"other\.pem holds no public key"):
        HeadKeys(tmp_path)
    with pytest.raises(DependencyUnavailable, match="cannot be read"):
        HeadKeys(tmp_path / "gone.pem")
