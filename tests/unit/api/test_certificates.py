"""The API shows a certificate, and the next one without a restart."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from pydantic import ValidationError
from structlog.testing import capture_logs

from api.certificates import ShownCertificate
from domain.errors import InvalidRequest
from settings import ApiSettings
from tests.certificates import CertificateFiles

PAUSE = 0.01


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    files = CertificateFiles(tmp_path)
    files.write("first.test")
    return files


@asynccontextmanager
async def serving(files: CertificateFiles) -> AsyncIterator[int]:
    """A server that follows the files; yields its port."""
    shown = ShownCertificate(files.certificate, files.key)
    shown.check()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
    following = asyncio.create_task(shown.follow(context, pause=PAUSE))
    async with server:
        yield server.sockets[0].getsockname()[1]
        assert not following.done()
        following.cancel()


async def shown_at(port: int) -> str:
    """The name in the certificate a client gets."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
    raw = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return x509.load_der_x509_certificate(raw).subject.rfc4514_string()


async def until_shown(port: int, name: str) -> None:
    async with asyncio.timeout(30):
        while await shown_at(port) != f"CN={name}":  # noqa: ASYNC110 - a server has no event for it
            await asyncio.sleep(PAUSE)


async def test_a_certificate_that_was_renewed_is_shown_without_a_restart(
    files: CertificateFiles,
) -> None:
    async with serving(files) as port:
        assert await shown_at(port) == "CN=first.test"
        files.write("second.test")
        await until_shown(port, "second.test")


async def test_a_key_of_another_certificate_is_not_taken_and_the_old_one_stays(
    files: CertificateFiles,
) -> None:
    async with serving(files) as port:
        with capture_logs() as said:
            files.write("broken.test", of_another_key=True)
            async with asyncio.timeout(30):
                while not any("not taken" in line["event"] for line in said):  # noqa: ASYNC110 - a log
                    await asyncio.sleep(PAUSE)
        assert await shown_at(port) == "CN=first.test"
        files.write("third.test")
        await until_shown(port, "third.test")


def test_what_cannot_be_shown_is_told_before_the_server_starts(files: CertificateFiles) -> None:
    files.write("broken.test", of_another_key=True)
    with pytest.raises(InvalidRequest, match=r"tls\.crt with key .*tls\.key"):
        ShownCertificate(files.certificate, files.key).check()


def test_a_certificate_without_its_key_is_refused(files: CertificateFiles) -> None:
    with pytest.raises(ValidationError, match="belong together"):
        ApiSettings(tls_certificate=files.certificate)
