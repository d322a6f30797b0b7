"""Requests to OpenBao that are safe to repeat and tell no secret when they fail."""

from typing import Any

import httpx

from devstack.errors import DevstackError


async def mount(bao: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
    """Mounts an engine or a way to sign in, if it is not there."""
    kind, _, name = path.partition("/")
    mounted = await read(bao, f"sys/{kind}")
    if f"{name}/" not in mounted:
        await write(bao, f"sys/{path}", body)


async def read(bao: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """Returns the data at a path."""
    answer = await bao.get(path)
    _check(answer, path)
    data: dict[str, Any] = answer.json()["data"]
    return data


async def write(bao: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
    """Writes to a path."""
    _check(await bao.post(path, json=body), path)


def _check(answer: httpx.Response, path: str) -> None:
    """Raises without the request's body in the message, for it may hold a password."""
    if answer.is_error:
        message = f"OpenBao refuses {path}: {answer.status_code} {answer.text[:200]}"
        raise DevstackError(message)
