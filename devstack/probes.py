"""Asks a part of the stack whether it is ready; never raises for one that is not."""

import asyncio
import os
import ssl
from collections.abc import Awaitable
from pathlib import Path
from urllib.parse import urlsplit

from devstack.component import (
    CallProbe,
    CommandProbe,
    FileProbe,
    HttpProbe,
    Probe,
    TcpProbe,
    UnixProbe,
)
from devstack.errors import PartFailed
from devstack.processes import SUCCESS, RunningProcess, base_environment

TIMEOUT = 5.0
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.25
_GROWTH = 1.15


async def wait_until_ready(probe: Probe) -> None:
    """Returns as soon as the probe passes: asks every 20 ms at first, four times a second later."""
    pause = _FIRST_PAUSE
    while not await is_ready(probe):
        await asyncio.sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


async def is_ready(probe: Probe) -> bool:
    """Asks once; any refusal, error or silence of more than five seconds means no."""
    try:
        async with asyncio.timeout(TIMEOUT):
            return await _ask(probe)
    except (OSError, TimeoutError, ValueError, PartFailed):
        return False


async def _ask(probe: Probe) -> bool:
    match probe:
        case HttpProbe():
            return await _status(probe) in probe.statuses
        case TcpProbe():
            return await _connects(asyncio.open_connection(probe.host, probe.port))
        case UnixProbe():
            return await _connects(asyncio.open_unix_connection(probe.path))
        case CommandProbe():
            return await _succeeds(probe)
        case FileProbe():
            return probe.path.exists()
        case CallProbe():
            return await probe.check()


async def _status(probe: HttpProbe) -> int:
    """The status of one GET, read by hand: a probe runs dozens of times in a second."""
    url = urlsplit(probe.url)
    host = url.hostname or "127.0.0.1"
    context = _tls(probe) if url.scheme == "https" else None
    port = url.port or (443 if context else 80)
    reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        path = f"{url.path or '/'}{'?' + url.query if url.query else ''}"
        request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        await writer.drain()
        line = await reader.readline()
        return int(line.split()[1]) if line.startswith(b"HTTP/") else 0
    finally:
        writer.transport.abort()


def _tls(probe: HttpProbe) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=probe.ca)
    if probe.certificate is not None:
        context.load_cert_chain(probe.certificate, probe.key)
    return context


async def _connects(
    opening: Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
) -> bool:
    _, writer = await opening
    writer.transport.abort()
    return True


async def _succeeds(probe: CommandProbe) -> bool:
    process = RunningProcess(probe.argv, base_environment(), Path("/"), Path(os.devnull))
    try:
        await process.wait()
    finally:
        process.kill()
    return process.status == SUCCESS
