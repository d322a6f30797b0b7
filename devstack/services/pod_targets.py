"""Program: tells Prometheus which pods want their metrics collected.

Debian's Prometheus is built without discovery in Kubernetes; it reads targets from a file instead.
This program watches pods and keeps that file up to date.
"""

import argparse
import asyncio
import json
import logging
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from devstack.files import write_atomically

_LOG = logging.getLogger(__name__)
_PODS = "/api/v1/pods"
_PREFIX = "prometheus.io/"
_WATCH_SECONDS = 300
_PAUSE = 1.0
_SETTLE = 0.2


def target(pod: Mapping[str, Any]) -> dict[str, Any] | None:
    """What Prometheus must know of a pod; None when the pod asks for nothing, or does not run."""
    metadata, status = pod["metadata"], pod.get("status", {})
    wishes = {**metadata.get("labels", {}), **metadata.get("annotations", {})}
    address, running = status.get("podIP"), status.get("phase") == "Running"
    if wishes.get(f"{_PREFIX}scrape") != "true" or not (address and running):
        return None
    return {
        "targets": [f"{address}:{wishes.get(f'{_PREFIX}port', '80')}"],
        "labels": {
            "__metrics_path__": wishes.get(f"{_PREFIX}path", "/metrics"),
            "namespace": metadata["namespace"],
            "pod": metadata["name"],
        },
    }


class Targets:
    """The pods that want to be asked, and the file that says so."""

    def __init__(self, file: Path) -> None:
        """Starts with no pod."""
        self._file = file
        self._known: dict[str, dict[str, Any]] = {}
        self.changed = asyncio.Event()

    def replace(self, pods: list[Mapping[str, Any]]) -> None:
        """Takes what was listed as everything there is."""
        self._known.clear()
        for pod in pods:
            self.take("ADDED", pod)
        self.changed.set()

    def take(self, kind: str, pod: Mapping[str, Any]) -> None:
        """Takes one change."""
        identity, found = pod["metadata"]["uid"], target(pod)
        before = self._known.pop(identity, None)
        if found is not None and kind != "DELETED":
            self._known[identity] = found
        if self._known.get(identity) != before:
            self.changed.set()

    async def keep_written(self) -> None:
        """Writes the file after each change; many changes at once are written once."""
        while True:
            await self.changed.wait()
            self.changed.clear()
            entries = [self._known[identity] for identity in sorted(self._known)]
            write_atomically(self._file, json.dumps(entries, indent=2))
            await asyncio.sleep(_SETTLE)


async def follow(client: httpx.AsyncClient, targets: Targets) -> None:
    """Lists and watches pods for ever."""
    while True:
        try:
            await _list_and_watch(client, targets)
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            _LOG.warning("pods are not known: %s", error)
            await asyncio.sleep(_PAUSE)


async def _list_and_watch(client: httpx.AsyncClient, targets: Targets) -> None:
    listed = (await client.get(_PODS)).raise_for_status().json()
    targets.replace(listed["items"])
    parameters = {
        "watch": "true",
        "resourceVersion": listed["metadata"]["resourceVersion"],
        "timeoutSeconds": str(_WATCH_SECONDS),
    }
    async with client.stream("GET", _PODS, params=parameters) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            event = json.loads(line)
            if event["type"] == "ERROR":
                return
            targets.take(event["type"], event["object"])


async def _run(given: argparse.Namespace) -> None:
    trust = ssl.create_default_context(cafile=given.authority)
    trust.load_cert_chain(given.certificate, given.key)
    timeout = httpx.Timeout(10.0, read=_WATCH_SECONDS + 30.0)
    targets = Targets(given.file)
    async with httpx.AsyncClient(
        base_url=given.server, verify=trust, timeout=timeout, trust_env=False
    ) as client:
        await asyncio.gather(follow(client, targets), targets.keep_written())


def main() -> int:
    """Keeps the file up to date until told to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, required=True, help="the file Prometheus reads")
    parser.add_argument("--server", required=True)
    for name in ("--authority", "--certificate", "--key"):
        parser.add_argument(name, type=Path, required=True)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    asyncio.run(_run(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
