"""A node of a test: an API server gets from it what containers wrote. It runs none."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients.kubernetes import Cluster, Kind
from domain.rendering import labels as names

_NODES = Kind("v1", "Node", "nodes", namespaced=False)
_PODS = Kind("v1", "Pod", "pods", namespaced=True)
_RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_BEGAN = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Kubelet:
    """Answers as a kubelet does to readers of logs."""

    def __init__(self, node: str) -> None:
        self.node = node
        self._lines: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
        self._changed = asyncio.Condition()
        self._cuts = 0
        self.readers = 0
        """Who follows now."""
        self._runner: web.AppRunner | None = None

    @classmethod
    async def start(cls, cluster: Cluster, node: str, folder: Path) -> Self:
        """Serves a node of the cluster."""
        kubelet = cls(node)
        app = web.Application()
        app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", kubelet._log)
        kubelet._runner = web.AppRunner(app, shutdown_timeout=0)
        await kubelet._runner.setup()
        site = web.TCPSite(kubelet._runner, "127.0.0.1", 0, ssl_context=_certificate(folder))
        await site.start()
        port = kubelet._runner.addresses[0][1]
        await cluster.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        await cluster.patch(_NODES, node, "", {"status": status}, "status")
        return kubelet

    async def close(self) -> None:
        """Serves nobody any more."""
        if self._runner is not None:
            await self.cut()
            await self._runner.cleanup()

    async def run(self, cluster: Cluster, namespace: str, pod: str, component: str) -> None:
        """Says of a pod that it runs here."""
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": namespace},
        }
        await cluster.apply(account)
        spec = {
            "nodeName": self.node,
            "securityContext": {
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [{"name": "main", "image": "web", "securityContext": _RESTRICTED}],
        }
        meta = {"name": pod, "namespace": namespace, "labels": {names.COMPONENT: component}}
        await cluster.create({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
        running = {
            "name": "main",
            "image": "web",
            "imageID": "",
            "ready": True,
            "restartCount": 0,
            "state": {"running": {"startedAt": "2026-11-27T12:00:00Z"}},
        }
        status = {"phase": "Running", "containerStatuses": [running]}
        await cluster.patch(_PODS, pod, namespace, {"status": status}, "status")

    async def write(self, pod: str, text: str) -> None:
        """A container writes a line; ten lines a second, by its own clock."""
        async with self._changed:
            written = self._lines[pod]
            written.append((_BEGAN + len(written) * timedelta(milliseconds=100), text))
            self._changed.notify_all()

    async def cut(self) -> None:
        """Breaks off all answers, as a kubelet that begins anew does."""
        async with self._changed:
            self._cuts += 1
            self._changed.notify_all()

    async def _log(self, request: web.Request) -> web.StreamResponse:
        pod, query = request.match_info["pod"], request.query
        answer = web.StreamResponse()
        await answer.prepare(request)
        told = self._first(pod, query.get("sinceTime", ""), query.get("tailLines", ""))
        cuts = self._cuts
        self.readers += 1
        try:
            while True:
                written = self._lines[pod]
                for time, text in written[told:]:
                    await answer.write(f"{_nanoseconds(time)} {text}\n".encode())
                told = len(written)
                if query.get("follow") != "true":
                    return answer
                async with self._changed:
                    while len(self._lines[pod]) == told and self._cuts == cuts:
                        await self._changed.wait()
                if self._cuts != cuts:
                    return answer
        finally:
            self.readers -= 1

    def _first(self, pod: str, since: str, tail: str) -> int:
        """How many lines are passed over."""
        written = self._lines[pod]
        first = len(written) - int(tail) if tail else 0
        if since:
            begin = datetime.fromisoformat(since)
            first = max(first, sum(time < begin for time, _ in written))
        return max(first, 0)


def _nanoseconds(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}000Z"


def _certificate(folder: Path) -> ssl.SSLContext:
    """One that nobody signed: API servers take it when they are told of no authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubelet")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "kubelet.pem"
    plain = serialization.NoEncryption()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(key.private_bytes(encoding, form, plain) + signed.public_bytes(encoding))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
