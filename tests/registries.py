"""A registry that asks for user and password, and what brings its file of users to it.

It is the stack's program, started beside it. It reads its htpasswd file anew when that changes; the
file is filled from secrets as an agent of OpenBao beside a registry does.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from clients.registry_users import hashed
from devstack.files import write_atomically
from devstack.programs import Silent, ensure
from domain.errors import PlatformError
from runtime.ports import free_port

_LOOK = 0.1
_PUSHER = ("pusher", "only-for-setting-up")
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_IMAGE = "tests/hello"


class GuardedRegistry:
    """One registry, and the organizations whose users it knows."""

    def __init__(self, folder: Path, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.url = f"http://{self.host}"
        self.configuration = folder / "registry.json"
        self.file = folder / "htpasswd"
        self._read: dict[str, Callable[[], str]] = {}
        self._over = threading.Event()
        self._guard = threading.Lock()
        self._own = f"{_PUSHER[0]}:{hashed(_PUSHER[1])}\n"
        self.file.write_text(self._own)
        content = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
            "http": {"addr": self.host},
            "auth": {"htpasswd": {"realm": "tests", "path": str(self.file)}},
        }
        self.configuration.write_text(json.dumps(content))

    async def follow(self, name: str, read: Callable[[], str]) -> None:
        """Brings the users of an organization to it from now on; returns when they are there."""
        with self._guard:
            self._read[name] = read
        await asyncio.to_thread(self._bring)

    def leave(self, name: str) -> None:
        """Brings them no more."""
        with self._guard:
            self._read.pop(name, None)

    async def pull(self, user: str, password: str) -> str:
        """Reads the manifest of an image; returns why not, empty when it could."""
        url = f"{self.url}/v2/{_IMAGE}/manifests/latest"
        async with httpx.AsyncClient(auth=(user, password), timeout=30) as http:
            answer = await http.get(url, headers={"Accept": _MANIFEST})
        return "" if answer.is_success else f"{user}: {answer.status_code}"

    def count(self, users: Sequence[str]) -> int:
        """How many of some users may log in."""
        known = {line.partition(":")[0] for line in self.file.read_text().splitlines()}
        return len(known & set(users))

    def push(self) -> None:
        """Puts an image there, as soon as it answers."""
        with httpx.Client(base_url=self.url, auth=_PUSHER, timeout=30) as http:
            for _ in range(600):
                with suppress(httpx.TransportError):
                    if http.get("/v2/").is_success:
                        break
                time.sleep(0.05)
            layers = http.post(f"/v2/{_IMAGE}/blobs/uploads/").raise_for_status()
            digest = f"sha256:{hashlib.sha256(b'{}').hexdigest()}"
            where = httpx.URL(layers.headers["Location"]).copy_merge_params({"digest": digest})
            kind = {"Content-Type": "application/octet-stream"}
            http.put(where, content=b"{}", headers=kind).raise_for_status()
            part = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest, "size": 2}
            manifest = {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": part,
                "layers": [part],
            }
            http.put(
                f"/v2/{_IMAGE}/manifests/latest",
                content=json.dumps(manifest),
                headers={"Content-Type": _MANIFEST},
            ).raise_for_status()

    def bring_all(self) -> None:
        """Brings every change there, until it is told to end."""
        while not self._over.wait(_LOOK):
            with suppress(PlatformError):  # OpenBao may be away for a while
                self._bring()

    def end(self) -> None:
        """Has ``bring_all`` end."""
        self._over.set()

    def _bring(self) -> None:
        with self._guard:
            text = self._own + "".join(read() for read in self._read.values())
            if text != self.file.read_text():
                write_atomically(self.file, text)


@contextmanager
def guarded_registry(*, brings: bool = True) -> Iterator[GuardedRegistry]:
    """Yields a registry with an image, for the time of a block.

    ``brings`` False = its file of users is somebody else's to write from then on.
    """
    program = ensure(["docker-registry"], progress=Silent())["docker-registry"].path
    folder = Path(tempfile.mkdtemp(prefix="pavane-registry-"))
    registry = GuardedRegistry(folder, free_port())
    bringing = threading.Thread(target=registry.bring_all, daemon=True)
    with subprocess.Popen(
        [program, "serve", registry.configuration],
        env={"OTEL_TRACES_EXPORTER": "none"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            registry.push()
            if brings:
                bringing.start()
            yield registry
        finally:
            registry.end()
            process.terminate()
            if bringing.is_alive():
                bringing.join()
            shutil.rmtree(folder, ignore_errors=True)
