"""The Git server: real pushes over HTTP, and webhooks that arrive however late."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from devstack.gitserver.app import GitServer, Options
from devstack.gitserver.repositories import NOTHING

pytestmark = pytest.mark.unit
SECRET = b"a-secret-of-some-length"


@dataclass
class Platform:
    """Stands for the platform's API: refuses some deliveries, keeps the others."""

    statuses: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    attempts: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, request: Request) -> Response:
        self.attempts += 1
        status = self.statuses.pop(0) if self.statuses else 202
        body = await request.body()
        if status == 202:
            self.taken.append((dict(request.headers), body))
            self.arrived.set()
        return Response(status_code=status)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/webhooks/acme/gitea", self.deliver, methods=["POST"])])

    async def next(self) -> tuple[dict[str, str], dict[str, Any]]:
        async with asyncio.timeout(20):
            await self.arrived.wait()
        self.arrived.clear()
        headers, body = self.taken[-1]
        signature = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        assert headers["x-gitea-signature"] == signature
        return headers, json.loads(body)


def free_socket() -> socket.socket:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    return listening


@asynccontextmanager
async def served(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # not ours
    running = asyncio.create_task(server.serve([listening]))
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.02)
    yield
    server.should_exit = True
    await running


def options(folder: Path, git: socket.socket, api: socket.socket) -> Options:
    (folder / "secrets").mkdir(exist_ok=True)
    (folder / "secrets" / "acme").write_bytes(SECRET)
    return Options(
        folder=folder / "git",
        secrets=folder / "secrets",
        api=f"http://127.0.0.1:{api.getsockname()[1]}",
        base=f"http://127.0.0.1:{git.getsockname()[1]}",
        pushers=frozenset({"127.0.0.1"}),
    )


async def git(folder: Path, *arguments: str) -> tuple[int, str]:
    settings = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        settings |= {f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@example.test"}
    process = await asyncio.create_subprocess_exec(
        *("git", "-C", str(folder), *arguments),
        env={"PATH": os.environ["PATH"], "NO_PROXY": "*", **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


@pytest.fixture
async def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    await git(folder, "init", "--quiet", "--initial-branch=main")
    await git(folder, "commit", "--quiet", "--allow-empty", "--message=First words")
    return folder


async def head(work: Path) -> str:
    return (await git(work, "rev-parse", "HEAD"))[1].strip()


async def test_the_first_push_makes_the_repository_and_is_told_with_a_signature(
    tmp_path: Path, work: Path
) -> None:
    platform, ours, theirs = Platform(), free_socket(), free_socket()
    given = options(tmp_path, ours, theirs)
    async with served(platform.app(), theirs), served(GitServer(given).app(), ours):
        status, output = await git(work, "push", f"{given.base}/acme/web.git", "main")
        assert status == 0, output
        headers, payload = await platform.next()
        status, output = await git(tmp_path, "clone", f"{given.base}/acme/web.git", "copy")

    assert status == 0, output
    assert headers["x-gitea-event"] == "push"
    assert (payload["ref"], payload["before"]) == ("refs/heads/main", NOTHING)
    assert payload["after"] == await head(work) == await head(tmp_path / "copy")
    assert payload["repository"]["clone_url"] == f"{given.base}/acme/web.git"
    assert payload["head_commit"]["message"] == "First words"
    assert payload["pusher"]["login"] == payload["head_commit"]["author"]["name"]


async def test_each_branch_that_moved_is_told_from_where_to_where(
    tmp_path: Path, work: Path
) -> None:
    platform, ours, theirs = Platform(), free_socket(), free_socket()
    given = options(tmp_path, ours, theirs)
    async with served(platform.app(), theirs), served(GitServer(given).app(), ours):
        await git(work, "push", f"{given.base}/acme/web.git", "main")
        await platform.next()
        before = await head(work)
        await git(work, "commit", "--quiet", "--allow-empty", "--message=Second")
        await git(work, "push", f"{given.base}/acme/web.git", "main")
        _, payload = await platform.next()

    assert (payload["before"], payload["after"]) == (before, await head(work))
    assert len(platform.taken) == 2


async def test_a_delivery_is_tried_again_while_the_platform_cannot_take_it(
    tmp_path: Path, work: Path
) -> None:
    platform, ours, theirs = Platform(statuses=[503, 401]), free_socket(), free_socket()
    given = options(tmp_path, ours, theirs)
    async with served(platform.app(), theirs), served(GitServer(given).app(), ours):
        await git(work, "push", f"{given.base}/acme/web.git", "main")
        await platform.next()

    assert platform.attempts == 3
    assert not list((given.folder / "outbox").glob("*.json"))


async def test_a_delivery_outlives_the_server_that_took_the_push(
    tmp_path: Path, work: Path
) -> None:
    platform, ours, theirs = Platform(), free_socket(), free_socket()
    given = options(tmp_path, ours, theirs)
    async with served(GitServer(given).app(), ours):
        await git(work, "push", f"{given.base}/acme/web.git", "main")
    assert len(list((given.folder / "outbox").glob("*.json"))) == 1

    again = free_socket()
    async with served(platform.app(), theirs), served(GitServer(given).app(), again):
        _, payload = await platform.next()

    assert payload["after"] == await head(work)


async def test_only_the_machine_itself_may_push_and_everybody_may_read(
    tmp_path: Path, work: Path
) -> None:
    ours = free_socket()
    given = options(tmp_path, ours, ours)
    elsewhere = Options(given.folder, given.secrets, given.api, given.base, frozenset())
    async with served(GitServer(elsewhere).app(), ours):
        status, output = await git(work, "push", f"{given.base}/acme/web.git", "main")

    assert status != 0
    assert "403" in output
    assert not (given.folder / "repositories").exists()


@pytest.mark.parametrize(
    "path", ["acme/..%2f..%2fx.git", "Acme/web.git", "acme/.git", "acme/-.git"]
)
async def test_names_that_could_leave_the_folder_are_not_repositories(
    tmp_path: Path, work: Path, path: str
) -> None:
    ours = free_socket()
    given = options(tmp_path, ours, ours)
    async with served(GitServer(given).app(), ours):
        status, _ = await git(work, "push", f"{given.base}/{path}", "main")

    assert status != 0
    assert not (given.folder / "repositories").exists()
