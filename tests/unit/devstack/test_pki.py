"""Certificates: made once, renewed before they end."""

from __future__ import annotations

import json
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from devstack import certificates, pki
from devstack.certificates import Request
from devstack.pki import Pki, write_kubeconfig

pytestmark = pytest.mark.unit
SERVER = Request("server", addresses=("127.0.0.1",), names=("localhost",))


def test_asking_again_gives_the_same_certificate(tmp_path: Path) -> None:
    first = Pki(tmp_path).issue("server", SERVER).certificate.read_bytes()

    assert Pki(tmp_path).issue("server", SERVER).certificate.read_bytes() == first


def test_another_request_gives_another_certificate(tmp_path: Path) -> None:
    first = Pki(tmp_path).issue("server", SERVER).certificate.read_bytes()

    other = Request("server", addresses=("127.0.0.1", "10.190.0.1"), names=("localhost",))
    assert Pki(tmp_path).issue("server", other).certificate.read_bytes() != first


def test_a_certificate_near_its_end_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "LIFETIME", pki.RENEW_BEFORE - timedelta(days=1))
    first = Pki(tmp_path).issue("server", SERVER).certificate.read_bytes()
    monkeypatch.setattr(certificates, "LIFETIME", timedelta(days=365))

    second = Pki(tmp_path).issue("server", SERVER).certificate.read_bytes()

    assert second != first
    assert Pki(tmp_path).issue("server", SERVER).certificate.read_bytes() == second


def test_a_new_authority_signs_everything_anew(tmp_path: Path) -> None:
    first = Pki(tmp_path).issue("server", SERVER).certificate.read_bytes()
    Pki(tmp_path).authority_key.unlink()

    assert Pki(tmp_path).issue("server", SERVER).certificate.read_bytes() != first


def test_a_client_trusts_the_server_by_the_authority_alone(tmp_path: Path) -> None:
    issued = Pki(tmp_path).issue("server", SERVER)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(issued.certificate, issued.key)
    client = ssl.create_default_context(cafile=issued.authority)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    theirs = server.wrap_bio(to_server, to_client, server_side=True)

    for _ in range(3):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue

    assert ours.getpeercert()["subject"] == ((("commonName", "server"),),)  # type: ignore[index]


def test_signing_keys_are_never_renewed(tmp_path: Path) -> None:
    first = Pki(tmp_path).signing_key("tokens").private.read_bytes()

    assert Pki(tmp_path).signing_key("tokens").private.read_bytes() == first


def test_private_keys_and_kubeconfigs_are_closed_to_others(tmp_path: Path) -> None:
    issued = Pki(tmp_path).issue("admin", Request("admin", ("system:masters",)))
    write_kubeconfig(tmp_path / "kubeconfig", "https://127.0.0.1:6443", issued)

    private = [*tmp_path.glob("*.key"), tmp_path / "kubeconfig"]
    assert {file.stat().st_mode & 0o777 for file in private} == {0o600}
    assert json.loads((tmp_path / "kubeconfig").read_text())["current-context"] == "pavane"
