"""Bare repositories below one folder, and which of their branches were announced."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

NOTHING = "0" * 40
"""What a webhook calls the commit of a branch that did not exist."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
_HEADS, _ANNOUNCED = "refs/heads/", "refs/announced/"
_CONFIG = {
    "http.receivepack": "true",
    # Announced branches are this server's own book-keeping.
    "transfer.hideRefs": _ANNOUNCED.rstrip("/"),
    "gc.auto": "0",
}


class GitFailed(Exception):
    """Git refused a command on a repository."""


@dataclass(frozen=True, slots=True)
class Change:
    """A branch that points elsewhere than was announced."""

    branch: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Commit:
    """The head of a branch, as a webhook describes it."""

    id: str
    message: str
    author: str
    email: str
    time: str


@dataclass(frozen=True, slots=True)
class Repository:
    """One bare repository of one organization."""

    root: Path
    organization: str
    name: str

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return self.root / self.organization / f"{self.name}.git"

    @property
    def path(self) -> str:
        """The path of its address."""
        return f"{self.organization}/{self.name}.git"

    async def create(self) -> None:
        """Makes the repository; nothing happens when it is there."""
        if (self.folder / "HEAD").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        await self._git("init", "--quiet", "--bare", "--initial-branch=main")
        for name, value in _CONFIG.items():
            await self._git("config", name, value)

    async def changes(self) -> list[Change]:
        """The branches that were made, moved or deleted since they were announced."""
        output = await self._git("for-each-ref", "--format=%(refname) %(objectname)")
        references = dict(line.split() for line in output.splitlines())
        heads = _below(references, _HEADS)
        announced = _below(references, _ANNOUNCED)
        return [
            Change(branch, announced.get(branch, NOTHING), heads.get(branch, NOTHING))
            for branch in sorted(heads.keys() | announced.keys())
            if heads.get(branch) != announced.get(branch)
        ]

    async def mark_announced(self, change: Change) -> None:
        """Remembers that a change will be told, whatever happens to this process."""
        reference = f"{_ANNOUNCED}{change.branch}"
        if change.after == NOTHING:
            await self._git("update-ref", "-d", reference)
        else:
            await self._git("update-ref", reference, change.after)

    async def commit(self, identity: str) -> Commit:
        """What is known of a commit."""
        output = await self._git(
            "show", "--no-patch", "--format=%H%x00%B%x00%an%x00%ae%x00%cI", identity
        )
        found, message, author, email, time = output.rstrip("\n").split("\0")
        return Commit(found, message.strip(), author, email, time)

    async def _git(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *("git", "-C", str(self.folder), *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        if process.returncode != 0:
            message = f"git {arguments[0]} in {self.path}: {errors.decode(errors='replace')}"
            raise GitFailed(message)
        return output.decode(errors="replace")


def find(root: Path, organization: str, name: str) -> Repository | None:
    """The repository of that name; None when it cannot be a name."""
    if not (_NAME.fullmatch(organization) and _NAME.fullmatch(name)):
        return None
    return Repository(root, organization, name)


def present(root: Path) -> list[Repository]:
    """All repositories that were made."""
    return [
        Repository(root, head.parent.parent.name, head.parent.name.removesuffix(".git"))
        for head in sorted(root.glob("*/*.git/HEAD"))
    ]


def _below(references: dict[str, str], prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): target
        for name, target in references.items()
        if name.startswith(prefix)
    }
