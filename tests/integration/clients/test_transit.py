"""Heads of audit chains are signed by the real OpenBao, with a role that can do nothing else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import hvac
import pytest
from sqlalchemy import text
from temporalio.client import Client

from api.views.records import verified
from clients.head_keys import HeadKeys
from clients.records import SqlRecords
from clients.records.tables import FACTS
from clients.transit import TransitSigner
from devstack.core import openbao, signing
from devstack.state import StateDir
from domain.errors import DependencyUnavailable, Errored
from domain.records import ChainHead, chained, signed_text
from tests.unit.records.samples import MOMENT
from tests.unit.records.signing import LocalSigner
from tests.workflows import test_audit_signing as flows

pytestmark = pytest.mark.integration
HEAD = ChainHead(organization="acme", sequence=3, hash="a" * 64)


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SqlRecords]:
    records = SqlRecords.open(f"sqlite:///{tmp_path / 'records.db'}")
    await records.migrate()
    yield records
    await records.close()


@pytest.fixture
def signer(stack: dict[str, str]) -> TransitSigner:
    return TransitSigner(
        stack["PAVANE_VAULT__ADDRESS"],
        stack["PAVANE_VAULT__ROLE_ID"],
        Path(stack["PAVANE_VAULT__SECRET_ID_FILE"]),
        key=signing.KEY,
    )


@pytest.fixture
def keys(stack: dict[str, str]) -> HeadKeys:
    return HeadKeys(Path(stack["PAVANE_AUDIT__VERIFY_KEYS"]))


async def written_anew(records: SqlRecords, organization: str) -> None:
    """What somebody with the database's own rights can do: another history, whole in itself."""
    facts = [row.fact async for row in records.chain(organization)]
    facts[0] = facts[0].model_copy(update={"actor": "eve@example.com"})
    rows, head = chained(ChainHead(organization=organization), facts)
    async with records._database.engine.begin() as connection:
        await connection.execute(text("DROP TRIGGER audit_facts_no_update"))
        for row in rows:
            anew = {"body": row.body, "previous": row.previous, "hash": row.hash}
            await connection.execute(
                FACTS.update()
                .where(FACTS.c.organization == organization, FACTS.c.sequence == row.sequence)
                .values(**anew)
            )
        await connection.execute(
            text("UPDATE audit_heads SET hash = :hash WHERE organization = :name"),
            {"hash": head.hash, "name": organization},
        )


async def test_a_chain_written_anew_from_its_beginning_is_found_by_its_signature(
    temporal: Client, records: SqlRecords, signer: TransitSigner, keys: HeadKeys
) -> None:
    await flows.wrote(records, "acme", range(4))
    async with flows.signing(temporal, records, signer):
        signed = await flows.sign(temporal)
    before = await verified(records, "acme", keys)

    await written_anew(records, "acme")
    after = await verified(records, "acme", keys)

    assert signed.signed == 1
    assert (before.holds, before.signed, before.keys_known) == (True, 4, True)
    assert [(fault.sequence, fault.kind.value) for fault in after.faults] == [(4, "unsigned")]
    assert after.signed == 0


async def test_a_signature_names_its_key_and_stands_only_under_what_was_signed(
    signer: TransitSigner, keys: HeadKeys
) -> None:
    made = await asyncio.to_thread(signer.sign, signed_text(HEAD))
    signature = LocalSigner().head(HEAD).model_copy(update=vars(made))

    assert made.key.startswith(f"{signing.KEY}:")
    assert keys.refuted(signature) == ""
    assert keys.refuted(signature.model_copy(update={"sequence": 4})) != ""
    assert keys.refuted(signature.model_copy(update={"at": MOMENT})) == ""


async def test_a_token_that_has_ended_is_replaced(signer: TransitSigner) -> None:
    await asyncio.to_thread(signer.sign, b"one")
    signer._client.token = "ended"
    made = await asyncio.to_thread(signer.sign, b"two")

    assert made.signature


async def test_the_role_may_sign_with_its_key_and_nothing_else(
    stack: dict[str, str], signer: TransitSigner
) -> None:
    await asyncio.to_thread(signer.sign, b"one")
    headers = {"X-Vault-Token": signer._client.token}
    base = f"{stack['PAVANE_VAULT__ADDRESS']}/v1/"
    async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False) as bao:
        refused = [
            (await bao.request(method, path, json=body)).status_code
            for method, path, body in (
                ("GET", "secret/data/anything", None),
                ("POST", "transit/keys/another", {"type": "ecdsa-p256"}),
                ("POST", f"transit/keys/{signing.KEY}/rotate", {}),
                ("POST", f"transit/keys/{signing.KEY}/config", {"deletion_allowed": True}),
                ("DELETE", f"transit/keys/{signing.KEY}", None),
                ("GET", f"transit/export/signing-key/{signing.KEY}", None),
                ("POST", f"auth/approle/role/{signing.ROLE}/secret-id", {}),
                ("POST", "auth/token/create", {}),
            )
        ]

    assert refused == [httpx.codes.FORBIDDEN] * len(refused)


async def test_a_wrong_secret_id_is_refused_and_none_is_in_the_message(
    stack: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "secret-id"
    file.write_text("not-the-secret-id")
    wrong = TransitSigner(stack["PAVANE_VAULT__ADDRESS"], signing.ROLE, file, key=signing.KEY)

    with pytest.raises(Errored, match="refused to role pavane-secrets") as refused:
        await asyncio.to_thread(wrong.sign, b"one")

    assert "not-the-secret-id" not in str(refused.value)


async def test_an_openbao_that_is_away_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "secret-id"
    file.write_text("something")
    away = TransitSigner("http://127.0.0.1:1", signing.ROLE, file, key=signing.KEY)

    with pytest.raises(DependencyUnavailable):
        await asyncio.to_thread(away.sign, b"one")


async def test_after_a_rotation_the_key_of_old_signatures_still_stands(
    stack: dict[str, str], tmp_path: Path
) -> None:
    """With a key of its own: others sign with the one of the stack meanwhile."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    state = StateDir(Path(stack["PAVANE_AUDIT__VERIFY_KEYS"]).parent.parent)
    root = hvac.Client(url=stack["PAVANE_VAULT__ADDRESS"], token=openbao.root_token(state))
    transit = root.secrets.transit
    await asyncio.to_thread(transit.create_key, name=name, key_type="ecdsa-p256")
    made = []
    signer = TransitSigner(stack["PAVANE_VAULT__ADDRESS"], "root", tmp_path, key=name)
    signer._client.token = root.token
    for _ in range(2):
        made.append(await asyncio.to_thread(signer.sign, signed_text(HEAD)))
        await asyncio.to_thread(transit.rotate_key, name=name)

    assert [each.key for each in made] == [f"{name}:1", f"{name}:2"]
    assert made[0].public_key != made[1].public_key
    for each in made:
        signature = LocalSigner().head(HEAD).model_copy(update=vars(each))
        assert HeadKeys(None).refuted(signature) == ""
