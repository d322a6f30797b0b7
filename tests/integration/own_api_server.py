"""A bare API server of a test's own: for tests in which no platform may act, and for crashes."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from asyncio.subprocess import Process
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from devstack.programs import Silent, ensure
from runtime.ports import free_port

_PATIENCE = 60


class OwnApiServer:
    """etcd and kube-apiserver; no controllers, no platform."""

    def __init__(self, folder: Path) -> None:
        program = ensure(["kubernetes"], progress=Silent())["kubernetes"]
        self._files = program.files
        self._folder = folder
        self._etcd_port, self._port = free_port(), free_port()
        self._etcd: Process | None = None
        self._api: Process | None = None
        self.kubeconfig = folder / "kubeconfig"
        self._people: dict[str, tuple[str, tuple[str, ...]]] = {}

    def person(self, user: str, *groups: str) -> Path:
        """Returns the kubeconfig of somebody without rights; to be asked before the start."""
        token = secrets.token_hex(16)
        self._people[token] = (user, groups)
        path = self._folder / f"{user}.kubeconfig"
        self._write_config(path, token)
        return path

    def authority(self) -> str:
        """Returns who signed the server's certificate, in base64, as a kubeconfig has it."""
        return base64.b64encode((self._folder / "certificates/apiserver.crt").read_bytes()).decode()

    async def start(self) -> None:
        """Returns when the API server answers."""
        self._write_access()
        client = f"http://127.0.0.1:{self._etcd_port}"
        peer = f"http://127.0.0.1:{free_port()}"
        self._etcd = await self._run(
            "etcd",
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        )
        await self.start_api()

    async def start_api(self) -> None:
        """Starts the API server alone, as after ``kill_api``; returns when it answers."""
        self._api = await self._run(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            f"--secure-port={self._port}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self._folder / 'certificates'}",
            f"--token-auth-file={self._folder / 'tokens.csv'}",
            f"--service-account-key-file={self._folder / 'key.pem'}",
            f"--service-account-signing-key-file={self._folder / 'key.pem'}",
            "--service-account-issuer=https://own.invalid",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=RBAC",
        )
        await self._answers()

    async def kill_api(self) -> None:
        """Ends the API server without warning."""
        assert self._api is not None
        self._api.kill()
        await self._api.wait()

    async def stop(self) -> None:
        """Ends both."""
        for process in (self._api, self._etcd):
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()

    async def _run(self, program: str, *options: str) -> Process:
        with (self._folder / f"{program}.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                str(self._files[program]), *options, cwd=self._folder, stdout=log, stderr=log
            )

    async def _answers(self) -> None:
        async with httpx.AsyncClient(verify=False) as client, asyncio.timeout(_PATIENCE):
            while True:
                try:
                    ready = await client.get(f"https://127.0.0.1:{self._port}/readyz")
                except httpx.HTTPError:
                    ready = None
                if ready is not None and ready.is_success:
                    return
                for name, process in (("etcd", self._etcd), ("kube-apiserver", self._api)):
                    if process is not None and process.returncode is not None:
                        said = (self._folder / f"{name}.log").read_text()[-2000:]
                        raise AssertionError(f"{name} ended with {process.returncode}: {said}")
                await asyncio.sleep(0.1)

    def _write_access(self) -> None:
        token = secrets.token_hex(16)
        lines = [f'{token},test,test,"system:masters"']
        for own, (user, groups) in self._people.items():
            lines.append(f'{own},{user},{user},"{",".join(groups)}"')
        (self._folder / "tokens.csv").write_text("\n".join(lines) + "\n")
        (self._folder / "key.pem").write_bytes(_key())
        self._write_config(self.kubeconfig, token)

    def _write_config(self, path: Path, token: str) -> None:
        server = {"server": f"https://127.0.0.1:{self._port}", "insecure-skip-tls-verify": True}
        path.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "own",
                    "contexts": [{"name": "own", "context": {"cluster": "own", "user": "own"}}],
                    "clusters": [{"name": "own", "cluster": server}],
                    "users": [{"name": "own", "user": {"token": token}}],
                }
            )
        )


def _key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
