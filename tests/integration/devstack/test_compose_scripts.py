"""What the scripts of docker-compose.yml leave, with a real OpenBao."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import hvac
import pytest

from clients.assertions import AssertionSigner, AssertionVerifier
from clients.head_keys import HeadKeys
from clients.transit import TransitSigner
from devstack.programs import Silent, ensure
from domain.deliveries.approval_votes import Act, ApprovalDecision
from domain.records import ChainHead, HeadSignature, signed_text
from runtime.ports import free_port
from tests.workflows.approving import ANN

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
ROOT = Path(__file__).parents[3]
HEAD = ChainHead(organization="acme", sequence=3, hash="ab" * 32)


@dataclass
class Composed:
    """An OpenBao set up as Compose does, and the folders that are its volumes."""

    address: str
    folder: Path

    def script(self, name: str) -> None:
        environment = {
            **os.environ,
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "BAO_ADDR": self.address,
            "DEMO_PASSWORD": "correct-horse",
            "OWNER": str(os.getuid()),
            "KEYS": str(self.folder),
            "WORKER": str(self.folder),
            "AUDIT_KEYS": str(self.folder / "audit-keys"),
        }
        script = ROOT / "docker/openbao" / name
        subprocess.run(["sh", script], env=environment, check=True, timeout=90)


@pytest.fixture
async def composed(tmp_path: Path) -> AsyncIterator[Composed]:
    bao = ensure(["openbao"], progress=Silent())["openbao"].files["bao"]
    (tmp_path / "bao").symlink_to(bao)
    port, peers = free_port(), free_port()
    configuration = (ROOT / "docker/openbao/openbao.hcl").read_text()
    for inside, outside in (
        ("/openbao/file", f"{tmp_path}/data"),
        ("/openbao/keys", f"{tmp_path}"),
        ("0.0.0.0:8200", f"127.0.0.1:{port}"),
        ("https://openbao:8201", f"https://127.0.0.1:{peers}"),
        ("http://openbao:8200", f"http://127.0.0.1:{port}"),
    ):
        assert inside in configuration
        configuration = configuration.replace(inside, outside)
    (tmp_path / "openbao.hcl").write_text(configuration)
    for folder in ("data", "audit-keys"):
        (tmp_path / folder).mkdir()
    made = Composed(f"http://127.0.0.1:{port}", tmp_path)
    await asyncio.to_thread(made.script, "make-key.sh")
    process = await asyncio.create_subprocess_exec(
        str(bao),
        "server",
        f"-config={tmp_path / 'openbao.hcl'}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield made
    finally:
        process.kill()
        await process.wait()


async def test_openbao_of_compose_issues_tokens_and_signs_heads_also_when_set_up_twice(
    composed: Composed,
) -> None:
    await asyncio.to_thread(composed.script, "initialise.sh")
    secret_id = (composed.folder / "secret-id").read_text()
    await asyncio.to_thread(composed.script, "initialise.sh")

    signer = TransitSigner(
        composed.address, "pavane-secrets", composed.folder / "secret-id", key="pavane-audit"
    )
    made = await asyncio.to_thread(signer.sign, signed_text(HEAD))
    keys = HeadKeys(composed.folder / "audit-keys")
    signature = HeadSignature(**HEAD.model_dump(), **vars(made), at="2026-01-01T00:00:00Z")
    person = hvac.Client(url=composed.address)
    await asyncio.to_thread(person.auth.userpass.login, "ada", "correct-horse")
    async with httpx.AsyncClient(base_url=composed.address) as client:
        answer = await client.get(
            "/v1/identity/oidc/token/pavane", headers={"X-Vault-Token": person.token}
        )

    assert (composed.folder / "secret-id").read_text() == secret_id
    assert keys.refuted(signature) == ""
    assert answer.json()["data"]["client_id"] == "pavane"


def test_the_keys_for_decisions_are_made_once_and_fit_each_other(tmp_path: Path) -> None:
    folders = {"SIGNING": str(tmp_path / "signing"), "VERIFYING": str(tmp_path / "verifying")}
    for folder in folders.values():
        Path(folder).mkdir()
    environment = {**os.environ, **folders, "OWNER": str(os.getuid())}
    script = ROOT / "docker/approvals/make_keys.py"
    private = tmp_path / "signing" / "approvals.pem"
    made = []
    for _ in range(2):
        subprocess.run([sys.executable, script], env=environment, check=True, timeout=60)
        made.append(private.read_bytes())

    decision = ApprovalDecision(act=Act.APPROVE, hash="abc", text="seen")
    signed = AssertionSigner(private).sign("approval/one", decision, ANN)
    proof = AssertionVerifier(tmp_path / "verifying").verify(
        "approval/one", signed, datetime.now(UTC)
    )

    assert made[0] == made[1]
    assert private.stat().st_mode & 0o777 == 0o400
    assert proof.person == ANN
