"""Encrypted ways to a real pod: TLS that is passed on, and certificates where the gateway can."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

import pytest

from clients.kubernetes import Cluster, Kind
from devstack.certificates import Request, make_authority, make_certificate, make_key
from tests.e2e.test_types import PUBLIC, SERVE, Tenant, cluster, temporal, tenant

__all__ = ["cluster", "temporal", "tenant"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

GATEWAYS = Kind("gateway.networking.k8s.io/v1", "Gateway", "gateways", namespaced=True)
SERVER = """
import http.server, ssl
server = http.server.HTTPServer(("", 8443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/srv/own.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
async def port(cluster: Cluster, stack: dict[str, str]) -> int:
    """The port at which the gateway of the stack takes TLS."""
    place = stack["PAVANE_GATEWAY__NAME"], stack["PAVANE_GATEWAY__NAMESPACE"]
    found = await cluster.get(GATEWAYS, *place)
    listeners = {one["name"]: one["port"] for one in found["spec"]["listeners"]}
    return int(listeners["tls"])


async def asked(address: str, port: int, authority: bytes) -> str:
    """Asks over TLS by the host name of an address, until somebody answers who is trusted."""
    host = urlsplit(address).hostname
    trusted = ssl.create_default_context(cadata=authority.decode())
    async with asyncio.timeout(60):
        while True:
            try:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port, ssl=trusted, server_hostname=host
                )
                writer.write(f"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                answer = (await reader.read()).decode()
                writer.close()
            except (ssl.SSLError, ConnectionError):
                answer = ""
            if " 200 " in answer.partition("\r\n")[0]:
                return answer
            await asyncio.sleep(0.3)


async def test_tls_that_the_component_ends_is_passed_on(tenant: Tenant, port: int) -> None:
    gateway = {"domain": "localhost", "tlsSectionName": "tls", "tlsPort": port}
    await tenant.declare("DataPlane", "local", {"gateway": gateway})
    host = f"own.vault.shop.{tenant.name}.dev.localhost"
    signer, key = make_key(), make_key()
    authority = make_authority("test", signer)
    certificate = make_certificate(Request("vault", names=(host,)), key, authority, signer)
    await tenant.component(
        "Service",
        "vault",
        workload={
            "containers": [{"name": "main", "command": ["python3", "-c", SERVER]}],
            "files": [{"path": "/srv/own.pem", "content": (certificate + key).decode()}],
            "endpoints": [{"name": "own", "port": 8443, "type": "TLS", "visibility": "public"}],
        },
    )
    status = await tenant.judged("Service", "vault")
    assert status["ready"]["status"] == "True", status["ready"]
    assert status["url"] == f"tls://{host}:{port}"
    assert "200 OK" in await asked(status["url"], port, authority)


async def test_a_gateway_without_listeners_of_components_gives_no_unencrypted_way_instead(
    tenant: Tenant,
) -> None:
    gateway = {"domain": "localhost", "certificateIssuer": "letters"}
    await tenant.declare("DataPlane", "local", {"gateway": gateway})
    main = {"name": "main", "command": [*SERVE, "/srv"]}
    await tenant.component(
        "Service", "safe", workload={"containers": [main], "endpoints": [PUBLIC]}
    )
    ready = (await tenant.judged("Service", "safe"))["ready"]
    assert ready["status"] == "False"
    assert "cert-manager" in ready["message"]
