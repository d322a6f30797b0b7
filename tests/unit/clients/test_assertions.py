from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clients.assertions import AssertionSigner, AssertionVerifier
from devstack.pki import Pki
from domain.deliveries.approval_votes import Act, ApprovalDecision, ApprovalPerson
from domain.errors import DependencyUnavailable, Unauthenticated

pytestmark = pytest.mark.unit
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANN = ApprovalPerson(subject="ann", email="ann@acme.example", name="Ann", groups=("leads",))
DECISION = ApprovalDecision(act=Act.APPROVE, hash="h", text="fine")
APPROVAL = "approval/promotion/acme/web/production"


def test_what_was_signed_is_proven_with_person_and_groups(tmp_path: Path) -> None:
    pair = Pki(tmp_path).signing_key("approvals")
    signed = AssertionSigner(pair.private).sign(APPROVAL, DECISION, ANN, NOW)
    proof = AssertionVerifier(pair.public).verify(APPROVAL, signed, NOW + timedelta(minutes=1))
    assert proof.person == ANN
    assert proof.until > NOW


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"act": Act.REJECT}, "another act"),
        ({"hash": "other"}, "another hash"),
        ({"round": 2}, "another round"),
        ({"text": "other"}, "another words"),
        ({"delegate": "eve"}, "another words"),
    ],
)
def test_nothing_of_a_signed_decision_can_be_changed(
    tmp_path: Path, changes: dict[str, object], why: str
) -> None:
    pair = Pki(tmp_path).signing_key("approvals")
    signed = AssertionSigner(pair.private).sign(APPROVAL, DECISION, ANN, NOW)
    with pytest.raises(Unauthenticated, match=why):
        AssertionVerifier(pair.public).verify(APPROVAL, signed.model_copy(update=changes), NOW)


def test_it_counts_for_one_approval_and_for_minutes(tmp_path: Path) -> None:
    pair = Pki(tmp_path).signing_key("approvals")
    signed = AssertionSigner(pair.private).sign(APPROVAL, DECISION, ANN, NOW)
    verifier = AssertionVerifier(pair.public)
    with pytest.raises(Unauthenticated, match="another approval"):
        verifier.verify(f"{APPROVAL}2", signed, NOW)
    for later in (timedelta(minutes=7), timedelta(minutes=-2)):
        with pytest.raises(Unauthenticated, match="too old"):
            verifier.verify(APPROVAL, signed, NOW + later)


def test_key_of_somebody_else_proves_nothing(tmp_path: Path) -> None:
    ours, theirs = (Pki(tmp_path / name).signing_key("approvals") for name in ("a", "b"))
    signed = AssertionSigner(theirs.private).sign(APPROVAL, DECISION, ANN, NOW)
    with pytest.raises(Unauthenticated, match="not signed by the API"):
        AssertionVerifier(ours.public).verify(APPROVAL, signed, NOW)


def test_keys_can_be_exchanged_while_both_are_in_the_folder(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    old, new = pki.signing_key("old"), pki.signing_key("new")
    verifier = AssertionVerifier(tmp_path)
    for pair in (old, new):
        signed = AssertionSigner(pair.private).sign(APPROVAL, DECISION, ANN, NOW)
        assert verifier.verify(APPROVAL, signed, NOW).person == ANN


def test_worker_without_a_key_believes_nothing(tmp_path: Path) -> None:
    pair = Pki(tmp_path).signing_key("approvals")
    signed = AssertionSigner(pair.private).sign(APPROVAL, DECISION, ANN, NOW)
    with pytest.raises(Unauthenticated, match="no key"):
        AssertionVerifier(None).verify(APPROVAL, signed, NOW)


def test_public_key_signs_nothing_and_no_key_is_told(tmp_path: Path) -> None:
    pair = Pki(tmp_path).signing_key("approvals")
    with pytest.raises(DependencyUnavailable, match="no private key"):
        AssertionSigner(pair.public)
    (tmp_path / "text").write_text("no key")
    with pytest.raises(DependencyUnavailable, match="holds no key"):
        AssertionSigner(tmp_path / "text")
