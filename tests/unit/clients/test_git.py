from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from clients.git import GitRemotes
from domain.errors import DependencyUnavailable, InvalidRequest

pytestmark = pytest.mark.unit


class Repository:
    """A bare repository with a branch, a nested branch and two kinds of tags."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main", "work")
        self.git("-C", "work", "commit", "-q", "--allow-empty", "-m", "one")
        self.first = self.git("-C", "work", "rev-parse", "HEAD")
        self.git("-C", "work", "tag", "light")
        self.git("-C", "work", "tag", "-a", "v1", "-m", "annotated")
        self.git("-C", "work", "branch", "feature/x")
        self.git("-C", "work", "commit", "-q", "--allow-empty", "-m", "two")
        self.second = self.git("-C", "work", "rev-parse", "HEAD")
        self.git("clone", "-q", "--bare", "work", "web.git")
        self.git("init", "-q", "--bare", "empty.git")

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments],
            cwd=self.root, check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("git"))


@pytest.fixture
async def server(repository: Repository) -> AsyncIterator[str]:
    """Git's own smart HTTP program behind a small gateway."""

    async def backend(request: web.Request) -> web.StreamResponse:
        if "slow" in request.path:
            await asyncio.sleep(60)
        if "private" in request.path:
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic realm=x"})
        if "broken" in request.path:
            return web.Response(status=503)
        environment = {
            "GIT_PROJECT_ROOT": str(repository.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "PATH": "/usr/bin:/bin",
        }
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend", env=environment,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate(await request.read())
        head, _, body = output.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return web.Response(
            status=int(headers.pop("Status", "200").split()[0]), body=body, headers=headers
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", backend)
    async with TestServer(app) as running:
        yield str(running.make_url("")).rstrip("/")


@pytest.fixture
async def remotes() -> AsyncIterator[GitRemotes]:
    client = GitRemotes(time_limit=timedelta(seconds=5))
    yield client
    await client.close()


async def test_branch_is_its_newest_commit(
    remotes: GitRemotes, server: str, repository: Repository
) -> None:
    found = await remotes.resolve(f"{server}/web.git", "main")

    assert (found.commit, found.branch) == (repository.second, "main")


async def test_no_revision_is_the_default_branch(
    remotes: GitRemotes, server: str, repository: Repository
) -> None:
    found = await remotes.resolve(f"{server}/web.git")

    assert (found.commit, found.branch) == (repository.second, "main")


async def test_branch_with_a_slash_and_full_references_are_found(
    remotes: GitRemotes, server: str, repository: Repository
) -> None:
    nested = await remotes.resolve(f"{server}/web.git", "feature/x")
    full = await remotes.resolve(f"{server}/web.git", "refs/heads/main")

    assert (nested.commit, nested.branch) == (repository.first, "feature/x")
    assert (full.commit, full.branch) == (repository.second, "main")


@pytest.mark.parametrize("tag", ["light", "v1", "refs/tags/v1"])
async def test_tag_is_the_commit_it_was_put_on(
    remotes: GitRemotes, server: str, repository: Repository, tag: str
) -> None:
    found = await remotes.resolve(f"{server}/web.git", tag)

    assert (found.commit, found.branch) == (repository.first, "")


async def test_complete_commit_is_taken_without_asking(remotes: GitRemotes) -> None:
    found = await remotes.resolve("https://git.invalid/web.git", "a" * 40)

    assert found.commit == "a" * 40


@pytest.mark.parametrize("place", ["web.git", "empty.git"])
async def test_unknown_revision_is_the_callers_fault(
    remotes: GitRemotes, server: str, place: str
) -> None:
    with pytest.raises(InvalidRequest, match="no branch or tag 'nope'"):
        await remotes.resolve(f"{server}/{place}", "nope")


async def test_unknown_repository_is_the_callers_fault(remotes: GitRemotes, server: str) -> None:
    with pytest.raises(InvalidRequest, match="no such repository"):
        await remotes.resolve(f"{server}/absent.git", "main")


async def test_private_repository_is_told_without_the_password(
    remotes: GitRemotes, server: str
) -> None:
    address = server.replace("http://", "http://ada:hunter2@")
    with pytest.raises(InvalidRequest, match="credentials") as caught:
        await remotes.resolve(f"{address}/private.git", "main")

    assert "hunter2" not in str(caught.value)


async def test_broken_server_is_tried_again_later(remotes: GitRemotes, server: str) -> None:
    with pytest.raises(DependencyUnavailable):
        await remotes.resolve(f"{server}/broken.git", "main")


async def test_server_that_says_nothing_is_given_up_while_others_are_served(
    server: str, repository: Repository
) -> None:
    remotes = GitRemotes(time_limit=timedelta(seconds=0.5))
    slow = asyncio.create_task(remotes.resolve(f"{server}/slow.git", "main"))
    found = await remotes.resolve(f"{server}/web.git", "main")

    assert found.commit == repository.second
    with pytest.raises(DependencyUnavailable):
        await slow
    await remotes.close()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "/srv/web.git",
        "ext::sh -c id",
        "ssh://-oProxyCommand=id/web.git",
        "git://example.com/web.git",
        "http://[broken",
        "",
    ],
)
async def test_other_kinds_of_urls_are_refused(remotes: GitRemotes, url: str) -> None:
    with pytest.raises(InvalidRequest):
        await remotes.resolve(url, "main")


async def test_short_ssh_form_is_understood(remotes: GitRemotes) -> None:
    found = await remotes.resolve("git@example.com:acme/web.git", "b" * 40)

    assert found.commit == "b" * 40
