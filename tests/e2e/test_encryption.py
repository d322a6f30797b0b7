"""Encrypted ways to a real pod: TLS that is passed on, and certificates where the gateway can."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any
from urllib.parse import urlsplit

import pytest
from temporalio.client import Client

from activities.common.kinds import GATEWAYS, SECRETS
from clients import certificates
from clients.kubernetes import Cluster
from devstack.certificates import Request, make_authority, make_certificate, make_key
from domain import ids
from domain.deliveries.certificates import RenewalRequest
from domain.gateways import served
from tests.e2e.test_types import PUBLIC, SERVE, Tenant, cluster, temporal, tenant
from tests.gateways import ending, sign_for_gateway
from workflows.gateways.renewal import CertificateRenewalWorkflow

__all__ = ["cluster", "temporal", "tenant"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.sampled]

SERVER = """
import http.server, ssl
server = http.server.HTTPServer(("", 8443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/srv/own.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
async def gateway(cluster: Cluster, stack: dict[str, str]) -> dict[str, Any]:
    """The Gateway of the stack."""
    place = stack["PAVANE_GATEWAY__NAME"], stack["PAVANE_GATEWAY__NAMESPACE"]
    return await cluster.get(GATEWAYS, *place)


@pytest.fixture(scope="module")
def port(gateway: dict[str, Any]) -> int:
    """The port at which it takes TLS and passes it on."""
    listeners = {one["name"]: one["port"] for one in gateway["spec"]["listeners"]}
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


async def test_openbao_signs_for_a_project_and_the_gateway_shows_it_renewed_in_time(
    tenant: Tenant,
    cluster: Cluster,
    temporal: Client,
    stack: dict[str, str],
    gateway: dict[str, Any],
) -> None:
    https = int(gateway["metadata"]["labels"][served.LISTENER_PORT])
    signs = {"certificateAuthority": "OpenBao", "certificatePort": https}
    await tenant.declare("DataPlane", "local", {"gateway": {"domain": "localhost", **signs}})
    main = {"name": "main", "command": [*SERVE, "/srv"]}
    workload = {"containers": [main], "endpoints": [PUBLIC]}
    await tenant.component("Service", "early", workload=workload)
    ready = (await tenant.judged("Service", "early"))["ready"]
    assert ready["status"] == "False"
    assert f"role gateway of pki/{tenant.name} does not sign" in ready["message"]

    authority = await sign_for_gateway(stack, tenant.name, f"{tenant.name}.dev.localhost")
    await tenant.component("Service", "shown", workload=workload)
    status = await tenant.judged("Service", "shown")
    assert status["ready"]["status"] == "True", status["ready"]
    host = f"shown.shop.{tenant.name}.dev.localhost"
    assert status["url"] == f"https://{host}:{https}/"
    assert "200 OK" in await asked(status["url"], https, authority.encode())
    secret = await cluster.get(SECRETS, served.SECRET, tenant.namespace)
    first = served.certificate_of(secret)
    assert certificates.names(first, "it") == (f"*.shop.{tenant.name}.dev.localhost",)

    # It soon ends, and nobody trusts it: only one that is made anew is taken.
    old = ending(certificates.names(first, "it"))
    await cluster.patch(SECRETS, served.SECRET, tenant.namespace, {"data": old})
    asks = RenewalRequest(organizations=(tenant.name,))
    done = await temporal.execute_workflow(
        CertificateRenewalWorkflow.run,
        asks,
        id=f"renew-certificates/{tenant.name}",
        task_queue=ids.ORCHESTRATION_QUEUE,
    )
    assert (done.renewed, done.refused, done.unanswered) == (1, (), ())
    assert "200 OK" in await asked(status["url"], https, authority.encode())
    again = await temporal.execute_workflow(
        CertificateRenewalWorkflow.run,
        asks,
        id=f"renew-certificates/{tenant.name}",
        task_queue=ids.ORCHESTRATION_QUEUE,
    )
    assert again.renewed == 0
