"""Encrypted ways to a real pod: certificates of the component's own, and TLS that is passed on.

The cert-manager of these tests is a definition of its Certificate and a signer; Traefik is real.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from clients.kubernetes import Cluster, Kind, SharedWatches
from clients.kubernetes.watch import DELETED
from devstack.certificates import Request, make_authority, make_certificate, make_key
from tests.e2e.test_types import PATIENCE, PUBLIC, SERVE, Tenant, cluster, temporal, tenant
from tests.integration.resources.conftest import established

__all__ = ["cluster", "temporal", "tenant"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

CERTIFICATES = Kind("cert-manager.io/v1", "Certificate", "certificates", namespaced=True)
GATEWAYS = Kind("gateway.networking.k8s.io/v1", "Gateway", "gateways", namespaced=True)
DEFINITION = "certificates.cert-manager.io"
SERVER = """
import http.server, ssl
server = http.server.HTTPServer(("", 8443), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/srv/own.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


class Authority:
    """Signs for host names."""

    def __init__(self) -> None:
        self._key = make_key()
        self.certificate = make_authority("test", self._key)

    def signed(self, *names: str) -> tuple[str, str]:
        """Returns certificate and key, in PEM."""
        key = make_key()
        request = Request("server", names=names)
        made = make_certificate(request, key, self.certificate, self._key)
        return made.decode(), key.decode()

    async def serve(self, cluster: Cluster) -> None:
        """Signs every Certificate there is and will be, as cert-manager does."""
        watches = SharedWatches(cluster)
        try:
            async with watches.of(CERTIFICATES).subscribe() as events:
                async for event in events:
                    if event.type != DELETED:
                        await self._sign(cluster, event.object)
        finally:
            await watches.close()

    async def _sign(self, cluster: Cluster, live: dict[str, Any]) -> None:
        meta, spec = live["metadata"], live["spec"]
        if (live.get("status") or {}).get("conditions"):
            return
        certificate, key = self.signed(*spec["dnsNames"])
        await cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": "kubernetes.io/tls",
                "metadata": {"name": spec["secretName"], "namespace": meta["namespace"]},
                "stringData": {"tls.crt": certificate, "tls.key": key},
            },
            manager="cert-manager",
        )
        ready = {
            "type": "Ready",
            "status": "True",
            "observedGeneration": meta["generation"],
        }
        patch = {"status": {"conditions": [ready]}}
        await cluster.patch(CERTIFICATES, meta["name"], meta["namespace"], patch, "status")


@pytest.fixture(scope="module")
async def authority(cluster: Cluster) -> AsyncIterator[Authority]:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": anything, "status": anything}}
    await cluster.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": DEFINITION},
            "spec": {
                "group": "cert-manager.io",
                "names": {"kind": "Certificate", "plural": "certificates"},
                "scope": "Namespaced",
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "subresources": {"status": {}},
                        "schema": {"openAPIV3Schema": schema},
                    }
                ],
            },
        }
    )
    await established(cluster, DEFINITION)
    made = Authority()
    signing = asyncio.create_task(made.serve(cluster))
    yield made
    signing.cancel()
    await asyncio.wait({signing})
    definitions = Kind(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        namespaced=False,
    )
    await cluster.delete(definitions, DEFINITION)


@pytest.fixture(scope="module")
async def port(cluster: Cluster, stack: dict[str, str]) -> int:
    """The port at which the gateway of the stack takes TLS."""
    place = stack["PAVANE_GATEWAY__NAME"], stack["PAVANE_GATEWAY__NAMESPACE"]
    found = await cluster.get(GATEWAYS, *place)
    listeners = {one["name"]: one["port"] for one in found["spec"]["listeners"]}
    return int(listeners["tls"])


async def asked(address: str, port: int, authority: bytes, path: str = "/") -> str:
    """Asks over TLS by the host name of an address, until somebody answers who is trusted."""
    host = urlsplit(address).hostname
    trusted = ssl.create_default_context(cadata=authority.decode())
    async with asyncio.timeout(60):
        while True:
            try:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", port, ssl=trusted, server_hostname=host
                )
                writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                answer = (await reader.read()).decode()
                writer.close()
            except (ssl.SSLError, ConnectionError):
                answer = ""
            if " 200 " in answer.partition("\r\n")[0]:
                return answer
            await asyncio.sleep(0.3)


async def test_a_component_answers_by_https_with_a_certificate_for_its_own_name(
    tenant: Tenant, cluster: Cluster, authority: Authority, port: int
) -> None:
    gateway = {"domain": "localhost", "certificateIssuer": "test", "certificatePort": port}
    await tenant.declare("DataPlane", "local", {"gateway": gateway})
    await _known(cluster, tenant.name)
    await tenant.component(
        "Service",
        "safe",
        workload={
            "containers": [{"name": "main", "command": [*SERVE, "/srv"]}],
            "files": [{"path": "/srv/index.html", "content": "encrypted"}],
            "endpoints": [PUBLIC],
        },
    )
    status = await tenant.judged("Service", "safe")
    assert status["ready"]["status"] == "True", status["ready"]
    assert status["url"] == f"https://safe.shop.{tenant.name}.dev.localhost:{port}/"
    assert "encrypted" in await asked(status["url"], port, authority.certificate)


async def test_tls_that_the_component_ends_is_passed_on(
    tenant: Tenant, authority: Authority, port: int
) -> None:
    gateway = {"domain": "localhost", "tlsSectionName": "tls", "tlsPort": port}
    await tenant.declare("DataPlane", "local", {"gateway": gateway})
    host = f"own.vault.shop.{tenant.name}.dev.localhost"
    certificate, key = authority.signed(host)
    await tenant.component(
        "Service",
        "vault",
        workload={
            "containers": [{"name": "main", "command": ["python3", "-c", SERVER]}],
            "files": [
                {"path": "/srv/own.pem", "content": certificate + key},
                {"path": "/srv/told.json", "content": json.dumps("passed on")},
            ],
            "endpoints": [{"name": "own", "port": 8443, "type": "TLS", "visibility": "public"}],
        },
    )
    status = await tenant.judged("Service", "vault")
    assert status["ready"]["status"] == "True", status["ready"]
    assert status["url"] == f"tls://{host}:{port}"
    assert "200 OK" in await asked(status["url"], port, authority.certificate)


async def _known(cluster: Cluster, organization: str) -> None:
    """Waits until the plane was looked at and cert-manager was found."""
    planes = Kind("choreo.dev/v1alpha1", "DataPlane", "dataplanes", namespaced=True)
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await cluster.get(planes, "local", organization)
            if "certManager" in found.get("status", {}).get("capabilities", {}):
                return
            await asyncio.sleep(0.3)
