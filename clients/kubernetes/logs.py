"""Logs of containers, as they are written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind

_PODS = Kind("v1", "Pod", "pods", namespaced=True)
_SILENCE_SECONDS = 3600
"""A followed container may say nothing for long; a dead connection is noticed by the socket."""
_LINE_LIMIT = 65536


async def pod_logs(
    cluster: Cluster,
    namespace: str,
    pod: str,
    container: str,
    *,
    follow: bool = False,
    tail: int | None = None,
    previous: bool = False,
    timestamps: bool = False,
    since: str = "",
) -> AsyncGenerator[bytes, None]:
    """Yields what a container wrote, in parts as they arrive (not lines: see ``lines``).

    Args:
        cluster: Where the pod is.
        namespace: Namespace of the pod.
        pod: Name of the pod.
        container: Name of the container.
        follow: Go on until the container ends.
        tail: Only that many last lines.
        previous: Of the instance before the last restart.
        timestamps: Begin each line with its time.
        since: Only what was written in that second (RFC 3339) or later. Empty = all.

    Raises:
        NotFound: The pod is gone.
        InvalidRequest: The container has not started yet, or there is no previous instance.
    """
    params = {"container": container}
    if tail is not None:
        params["tailLines"] = str(tail)
    if since:
        params["sinceTime"] = since
    flags = {"follow": follow, "previous": previous, "timestamps": timestamps}
    params |= {name: "true" for name, wanted in flags.items() if wanted}
    async with cluster.session.stream(
        _PODS.path(namespace, pod, "log"),
        what=f"log of {container} in pod {pod} in {namespace}",
        params=params,
        read_timeout=_SILENCE_SECONDS,
    ) as content:
        async for part in content.iter_any():
            yield part


async def lines(
    parts: AsyncIterator[bytes], *, longest: int = _LINE_LIMIT
) -> AsyncGenerator[bytes, None]:
    """Yields whole lines without their ends; one longer than ``longest`` comes in pieces."""
    rest = b""
    async for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            yield line
        while len(rest) > longest:
            yield rest[:longest]
            rest = rest[longest:]
    if rest:
        yield rest
