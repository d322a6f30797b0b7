"""E-mail to a real mail server: encrypted, logged in, and with no password told anywhere."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients.notifications import EmailChannel
from domain.errors import DependencyUnavailable, Errored
from tests.unit.clients.test_notifications import NOTICE

pytestmark = pytest.mark.unit
PASSWORD = "correct horse battery"


class Mailbox:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.mail: list[Envelope] = []
        self.encrypted: list[bool] = []

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: Any, session: Session, envelope: Envelope
    ) -> str:
        self.mail.append(envelope)
        self.encrypted.append(session.ssl is not None)
        return "250 taken"


def lets_in(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    is_known = given == LoginPassword(b"pavane", PASSWORD.encode())
    return AuthResult(success=is_known, handled=is_known)


class Files:
    """The certificate of the server and the password, as files."""

    def __init__(self, folder: Path) -> None:
        self.certificate, key = folder / "server.pem", folder / "server.key"
        self.password = folder / "password"
        self.password.write_text(f"{PASSWORD}\n")
        own = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]),
                critical=False,
            )
            .sign(own, hashes.SHA256())
        )
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


class _Server(Controller):
    """Takes a port that is free, and looks for itself at that one."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # the library has no types here


@contextmanager
def server(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    """Runs a mail server in which everybody must log in; gives its port."""
    controller = _Server(
        mailbox,
        hostname="127.0.0.1",
        port=0,
        auth_required=True,
        authenticator=lets_in,
        ready_timeout=60,
        **options,
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def channel(port: int, files: Files, **changes: Any) -> EmailChannel:
    options: dict[str, Any] = {
        "sender": "pavane@acme.example",
        "recipients": ("ops@acme.example",),
        "username": "pavane",
        "password_file": files.password,
        "ca_file": files.certificate,
    }
    return EmailChannel("127.0.0.1", port, **options | changes)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it is there already
@pytest.mark.parametrize("tls", [False, True])
async def test_a_notice_arrives_encrypted_and_from_who_logged_in(files: Files, tls: bool) -> None:
    mailbox = Mailbox()
    given: dict[str, Any] = (
        {"ssl_context": files.context, "auth_require_tls": False}
        if tls
        else {"tls_context": files.context, "require_starttls": True}
    )
    with server(mailbox, **given) as port:
        for _ in range(2):
            await channel(port, files, tls=tls).send(NOTICE)

    assert tls or mailbox.encrypted == [True, True]  # with `tls` there is no other way in
    first, second = (BytesParser().parsebytes(one.original_content or b"") for one in mailbox.mail)
    assert mailbox.mail[0].rcpt_tos == ["ops@acme.example", "ann@acme.example"]
    assert first["Subject"] == "[acme] approval is needed: promote web"
    assert "0 of 1 approvals" in str(first.get_payload())
    assert first["Message-ID"] == second["Message-ID"]


async def test_a_wrong_password_is_refused_and_told_nowhere(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    files.password.write_text("another secret")
    mailbox = Mailbox()
    with (
        server(mailbox, tls_context=files.context, require_starttls=True) as port,
        pytest.raises(Errored, match="refused the name or the password") as refused,
    ):
        await channel(port, files).send(NOTICE)

    assert mailbox.mail == []
    assert refused.value.__cause__ is None
    said = f"{refused.value} {caplog.text}"
    assert "another secret" not in said
    assert PASSWORD not in said


async def test_a_server_that_nobody_vouches_for_gets_neither_password_nor_notice(
    files: Files,
) -> None:
    mailbox = Mailbox()
    with (
        server(mailbox, tls_context=files.context, require_starttls=True) as port,
        pytest.raises(DependencyUnavailable, match="SSLCertVerificationError"),
    ):
        await channel(port, files, ca_file=None).send(NOTICE)

    assert mailbox.mail == []


async def test_no_password_is_sent_to_another_machine_without_encryption(files: Files) -> None:
    sends = EmailChannel(
        "mail.acme.example",
        25,
        sender="pavane@acme.example",
        recipients=("ops@acme.example",),
        starttls=False,
        username="pavane",
        password_file=files.password,
    )
    with pytest.raises(Errored, match="no password is sent without encryption"):
        await sends.send(NOTICE)
