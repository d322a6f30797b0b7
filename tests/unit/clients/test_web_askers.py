"""Who asks over HTTP: what proves it reaches the server, and nobody else."""

from __future__ import annotations

import base64
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients.web import Loki, Prometheus, Web, asker_of
from domain.errors import DependencyUnavailable, InvalidRequest

TOKEN, PASSWORD = "token-canary-5e1f", "password canary: 5e1f"
BASIC = base64.b64encode(f"reader:{PASSWORD}".encode()).decode()


@pytest.mark.parametrize(
    ("fields", "tenant", "headers"),
    [
        ({"token": f"{TOKEN}\n"}, "", {"authorization": f"Bearer {TOKEN}"}),
        (
            {"username": "reader", "password": PASSWORD},
            "acme|shared",
            {"authorization": f"Basic {BASIC}", "x-scope-orgid": "acme|shared"},
        ),
        ({}, "acme", {"x-scope-orgid": "acme"}),
    ],
)
async def test_metrics_and_logs_are_told_who_asks_and_for_whose_data(
    fields: dict[str, str], tenant: str, headers: dict[str, str]
) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        told = {"authorization", "x-scope-orgid"}
        asked.append({name: value for name, value in request.headers.items() if name in told})
        data = {"resultType": "vector", "result": []}
        return httpx.Response(200, json={"data": data})

    who, shared = asker_of(fields, tenant), Web(transport=httpx.MockTransport(answer))
    await Prometheus(shared).query("http://measures", "up", who=who)
    await Loki(shared).check("http://logs", who=who, timeout_seconds=5)
    await Loki(shared).check("http://logs", timeout_seconds=5)

    assert asked == [headers, headers, {}]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"value": TOKEN}, "neither `token` nor `username`"),
        ({"token": TOKEN, "password": PASSWORD}, "keep one of them"),
        ({"username": "reader"}, "belong together"),
        ({"token": f"{TOKEN}\r\nX-Scope-OrgID: beta"}, "no token"),
        ({"username": f"reader:{TOKEN}", "password": PASSWORD}, "colon"),
        ({"token": TOKEN, "certificateAuthority": "none"}, "no certificates"),
    ],
)
def test_what_does_not_fit_together_is_refused_without_a_value(
    fields: dict[str, str], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said) as refused:
        asker_of(fields)
    assert TOKEN not in refused.value.message


@pytest.mark.parametrize("fields", [{"token": TOKEN}, {"username": "reader", "password": PASSWORD}])
async def test_a_server_that_says_what_it_was_told_brings_no_value_into_an_error(
    fields: dict[str, str],
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        said = f"{request.headers['Authorization']} or {PASSWORD} is wrong"
        return httpx.Response(400, json={"error": said})

    who, shared = asker_of(fields), Web(transport=httpx.MockTransport(answer))
    with pytest.raises(InvalidRequest) as logs:
        await Loki(shared).check("http://logs", who=who, timeout_seconds=5)
    with pytest.raises(InvalidRequest) as metrics:
        await Prometheus(shared).query("http://measures", "up", who=who)

    shown = f"{logs.value.message} {metrics.value.message} {who!r}"
    assert "***" in shown
    assert not any(value in shown for value in (TOKEN, BASIC, fields.get("password", TOKEN)))


@dataclass
class Server:
    """A log store that hands out cookies, and remembers who came how."""

    connections: set[object] = field(default_factory=set)
    cookies: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.connections.add(request.transport)
        self.cookies.append(request.headers.get("Cookie", ""))
        answer = web.json_response({})
        answer.set_cookie("session", "of-somebody-else")
        return answer

    @property
    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/loki/api/v1/labels", self.answer)
        return app


@pytest.fixture
async def shared() -> AsyncIterator[Web]:
    shared = Web()
    yield shared
    await shared.close()


async def test_connections_are_kept_and_cookies_are_not(shared: Web) -> None:
    store, loki = Server(), Loki(shared)
    async with TestServer(store.app) as server:
        for tenant in ("acme", "beta"):
            url = str(server.make_url(""))
            await loki.check(url, who=asker_of({}, tenant), timeout_seconds=30)

    assert (len(store.connections), store.cookies) == (1, ["", ""])


async def test_a_server_with_a_certificate_of_its_own_is_known_by_the_one_that_is_given(
    shared: Web, tmp_path: Path
) -> None:
    pem, context = _certificate(tmp_path)
    loki = Loki(shared)
    server = TestServer(Server().app, scheme="https")
    await server.start_server(ssl=context)
    try:
        url = str(server.make_url("")).replace("127.0.0.1", "localhost")
        with pytest.raises(DependencyUnavailable):
            await loki.check(url, timeout_seconds=30)
        await loki.check(url, who=asker_of({"certificateAuthority": pem}), timeout_seconds=30)
    finally:
        await server.close()


async def test_sets_of_certificates_are_not_kept_without_end(shared: Web, tmp_path: Path) -> None:
    pem, _ = _certificate(tmp_path)
    first = await shared.client(pem)
    for number in range(40):
        await shared.client(f"{pem}{' ' * number}\n")

    assert first.is_closed
    assert not (await shared.client(pem)).is_closed


def _certificate(folder: Path) -> tuple[str, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(pem + private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")
    return pem.decode(), context
