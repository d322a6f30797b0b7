"""What a revision of a remote Git repository means now, without cloning it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import SplitResult, urlsplit

from dulwich.client import (
    GitClient,
    HttpGitClient,
    HTTPProxyUnauthorized,
    HTTPUnauthorized,
    LsRemoteResult,
    SSHGitClient,
    default_urllib3_manager,
)
from dulwich.errors import GitProtocolError, NotGitRepository
from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager
from urllib3.exceptions import HTTPError

from domain.deliveries import ResolvedCommit
from domain.errors import DependencyUnavailable, InvalidRequest
from domain.ids import is_commit

_SCP_LIKE = re.compile(r"(?P<user>[\w.-]+)@(?P<host>\w[\w.-]*):(?P<path>[^:]+)")
_HEADS = b"refs/heads/"
_TAGS = b"refs/tags/"
_PEELED = b"^{}"
_THREADS = 8
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=2"


class GitRemotes:
    """Asks Git servers for their branches and tags.

    The Git library blocks, so it runs in threads of its own; ``close`` ends them.
    """

    def __init__(self, *, time_limit: timedelta = timedelta(seconds=20)) -> None:
        self._limit = time_limit.total_seconds()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="git")

    async def close(self) -> None:
        """Takes no more questions; a thread that still waits ends with its own time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def resolve(self, repository_url: str, revision: str = "") -> ResolvedCommit:
        """Returns the commit of a branch, tag, full reference or ``HEAD``.

        Branches go before tags. An empty revision is the default branch; a complete commit id is
        returned as it is, without asking.

        Raises:
            InvalidRequest: The URL is not http(s) or ssh, or there is no such repository or
                revision, or the server wants credentials.
            DependencyUnavailable: The server did not answer in time.
        """
        where = _checked(repository_url)
        if is_commit(revision):
            return ResolvedCommit(commit=revision)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limit):
                refs = await loop.run_in_executor(
                    self._threads, _ls_remote, where, self._limit, _shown(where)
                )
        except TimeoutError as error:
            raise DependencyUnavailable(f"{_shown(where)}: no answer in time") from error
        return _chosen(refs, revision or "HEAD", _shown(where))


def _checked(url: str) -> SplitResult:
    scp_like = _SCP_LIKE.fullmatch(url)
    if scp_like:
        url = f"ssh://{scp_like['user']}@{scp_like['host']}/{scp_like['path'].lstrip('/')}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidRequest("repository URL cannot be read") from None
    if parts.scheme not in {"http", "https", "ssh"} or not host or host.startswith("-"):
        raise InvalidRequest(f"repository {_shown(parts)}: only http, https and ssh are possible")
    return parts


def _shown(parts: SplitResult) -> str:
    """Returns the URL for messages, without user and password."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _ls_remote(where: SplitResult, limit: float, shown: str) -> LsRemoteResult:
    try:
        if where.scheme == "ssh":
            return _ssh_client(where).get_refs(where.path.encode())
        with _http_client(where, limit) as client:
            return client.get_refs(where.path.encode())
    except NotGitRepository as error:
        raise InvalidRequest(f"{shown}: no such repository") from error
    except (HTTPUnauthorized, HTTPProxyUnauthorized) as error:
        raise InvalidRequest(f"{shown}: the Git server asks for credentials") from error
    except (GitProtocolError, HTTPError, OSError) as error:
        # The text of these may quote the URL with its password: only the class is told.
        raise DependencyUnavailable(f"{shown}: {type(error).__name__}") from error


def _ssh_client(where: SplitResult) -> GitClient:
    return SSHGitClient(
        str(where.hostname), port=where.port, username=where.username, ssh_command=_SSH
    )


@contextmanager
def _http_client(where: SplitResult, limit: float) -> Iterator[GitClient]:
    address = f"{where.scheme}://{where.netloc.rpartition('@')[2]}"
    pool = default_urllib3_manager(
        None,
        pool_manager_cls=_ClosingPool,
        proxy_manager_cls=_ClosingProxyPool,
        base_url=address,
        timeout=limit / 2,
    )
    try:
        yield HttpGitClient(
            address,
            pool_manager=pool,
            username=where.username,
            password=where.password,
            timeout=limit / 2,
        )
    finally:
        for answer in getattr(pool, "answers", []):
            answer.close()
        pool.clear()


class _ClosingPool(PoolManager):
    """Keeps answers so that they can be closed: the Git library forgets those of failures."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.answers: list[BaseHTTPResponse] = []

    def urlopen(self, *arguments: Any, **options: Any) -> BaseHTTPResponse:
        answer = super().urlopen(*arguments, **options)
        self.answers.append(answer)
        return answer


class _ClosingProxyPool(_ClosingPool, ProxyManager):
    """The same behind a proxy."""


def _chosen(found: LsRemoteResult, revision: str, shown: str) -> ResolvedCommit:
    refs = {bytes(name): commit for name, commit in found.refs.items() if commit is not None}
    links = {bytes(name): bytes(target) for name, target in found.symrefs.items()}
    name = revision.encode()
    for candidate in (_HEADS + name, _TAGS + name + _PEELED, _TAGS + name, name + _PEELED, name):
        if candidate in refs:
            branch = links.get(candidate, candidate)
            return ResolvedCommit(
                commit=refs[candidate].decode(),
                branch=branch.removeprefix(_HEADS).decode() if branch.startswith(_HEADS) else "",
            )
    raise InvalidRequest(f"{shown}: there is no branch or tag {revision!r}")
