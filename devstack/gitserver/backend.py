"""Lends HTTP to `git http-backend`, which speaks the older protocol of CGI."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to Git."""

    root: Path
    path: str
    """Below the root, beginning with a slash."""
    user: str


async def answer(
    request: Request, exchange: Exchange, finished: Callable[[], Awaitable[None]]
) -> Response:
    """Lets Git answer; `finished` runs when Git is done, before the client hears the end."""
    process = await asyncio.create_subprocess_exec(
        *("git", "http-backend"),
        env=_environment(request, exchange),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    feeding = asyncio.create_task(_feed(process, request))
    headers = await _read_headers(process)
    status = int(headers.pop("Status", str(HTTPStatus.OK.value)).split()[0])
    body = _body(process, feeding, finished)
    return StreamingResponse(body, status_code=status, headers=headers)


async def _feed(process: asyncio.subprocess.Process, request: Request) -> None:
    stdin = process.stdin
    if stdin is None:
        return
    # Git may end before it read everything, for example when it refuses a push.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        async for chunk in request.stream():
            stdin.write(chunk)
            await stdin.drain()
    stdin.close()


async def _read_headers(process: asyncio.subprocess.Process) -> dict[str, str]:
    headers: dict[str, str] = {}
    if process.stdout is not None:
        while line := (await process.stdout.readline()).decode().strip():
            name, _, value = line.partition(":")
            headers[name] = value.strip()
    if not headers:
        headers["Status"] = f"{HTTPStatus.INTERNAL_SERVER_ERROR.value}"
    return headers


async def _body(
    process: asyncio.subprocess.Process,
    feeding: asyncio.Task[None],
    finished: Callable[[], Awaitable[None]],
) -> AsyncIterator[bytes]:
    try:
        while process.stdout is not None and (chunk := await process.stdout.read(_CHUNK)):
            yield chunk
        await process.wait()
        await finished()
    finally:
        feeding.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()


def _environment(request: Request, exchange: Exchange) -> Mapping[str, str]:
    headers = request.headers
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_PROJECT_ROOT": str(exchange.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "PATH_INFO": exchange.path,
        "QUERY_STRING": request.url.query,
        "REQUEST_METHOD": request.method,
        "REMOTE_ADDR": request.client.host if request.client else "",
        "REMOTE_USER": exchange.user,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": headers.get("content-length", ""),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
    }
