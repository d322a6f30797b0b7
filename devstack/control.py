"""The supervisor's control socket: one JSON request a connection, answered by JSON lines."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from devstack.errors import DevstackError, NotRunning

_LONGEST_LINE = 4_000_000

Reply = dict[str, Any]
Serve = Callable[[Reply], AsyncIterator[Reply]]


async def listen(path: Path, serve: Serve) -> asyncio.Server:
    """Listens on the socket, in place of a stale one, and answers each request by `serve`.

    The answer ends early when the asking side goes away.
    """

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            answering = asyncio.create_task(_answer(writer, serve(request)))
            gone = asyncio.create_task(reader.read())
            await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
            answering.cancel()
            gone.cancel()
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    with _short(path) as short:
        return await asyncio.start_unix_server(answer, short, limit=_LONGEST_LINE)


async def ask(path: Path, request: Reply) -> AsyncIterator[Reply]:
    """Sends one request and yields the replies.

    Raises:
        NotRunning: nothing listens on the socket.
        DevstackError: the supervisor refused, in its own words.
    """
    try:
        with _short(path) as short:
            reader, writer = await asyncio.open_unix_connection(short, limit=_LONGEST_LINE)
    except OSError:
        message = "the stack is not running; start it with `pavane stack up`"
        raise NotRunning(message) from None
    try:
        await _send(writer, request)
        while line := await reader.readline():
            reply: Reply = json.loads(line)
            if "error" in reply:
                raise DevstackError(reply["error"])
            yield reply
    except ConnectionError:
        return
    finally:
        writer.close()


async def ask_once(path: Path, request: Reply) -> Reply:
    """Sends one request and returns its only reply; raises as `ask` does."""
    last: Reply = {}
    async for reply in ask(path, request):
        last = reply
    return last


async def _answer(writer: asyncio.StreamWriter, replies: AsyncIterator[Reply]) -> None:
    with contextlib.suppress(ConnectionError):
        try:
            async for reply in replies:
                await _send(writer, reply)
        except DevstackError as error:
            await _send(writer, {"error": str(error)})


async def _send(writer: asyncio.StreamWriter, message: Reply) -> None:
    writer.write(json.dumps(message).encode() + b"\n")
    await writer.drain()


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name of the socket that fits the kernel's limit of 107 bytes, however deep it lies."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
