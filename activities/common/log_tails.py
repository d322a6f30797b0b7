"""The last lines a container wrote, for the error a person reads."""

from __future__ import annotations

from clients.kubernetes.cluster import Cluster
from clients.kubernetes.logs import pod_logs
from domain.errors import PlatformError

_LINES = 50
_BYTES = 8_000


async def log_tail(
    cluster: Cluster, namespace: str, pod: str, container: str, previous: bool = False
) -> str:
    """Returns the last 50 lines, at most 8 kB; empty when there is no log any more."""
    parts = bytearray()
    try:
        async for part in pod_logs(
            cluster, namespace, pod, container, tail=_LINES, previous=previous
        ):
            parts += part
    except PlatformError:
        return parts.decode(errors="replace")
    return parts[-_BYTES:].decode(errors="replace").strip()
