"""What a revision of a remote Git repository means now, without cloning it."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

from dulwich.client import (
    GitClient,
    HttpGitClient,
    HTTPProxyUnauthorized,
    HTTPUnauthorized,
    LsRemoteResult,
    SSHGitClient,
)
from dulwich.errors import GitProtocolError, NotGitRepository
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
        return _client(where, limit).get_refs(where.path.encode())
    except NotGitRepository as error:
        raise InvalidRequest(f"{shown}: no such repository") from error
    except (HTTPUnauthorized, HTTPProxyUnauthorized) as error:
        raise InvalidRequest(f"{shown}: the Git server asks for credentials") from error
    except (GitProtocolError, HTTPError, OSError) as error:
        # The text of these may quote the URL with its password: only the class is told.
        raise DependencyUnavailable(f"{shown}: {type(error).__name__}") from error


def _client(where: SplitResult, limit: float) -> GitClient:
    if where.scheme == "ssh":
        return SSHGitClient(
            str(where.hostname), port=where.port, username=where.username, ssh_command=_SSH
        )
    host = where.netloc.rpartition("@")[2]
    return HttpGitClient(
        f"{where.scheme}://{host}",
        username=where.username,
        password=where.password,
        timeout=limit / 2,
    )


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
