"""The sample service's repository, as its developer keeps it: its versions and their pushes."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "examples" / "demo" / "web"
CRASH = 'raise SystemExit("crashed: the setting DATABASE_URL is missing")\n'
LEAK = """
        global visitors
        visitors = visitors if healthy else visitors + 1
        if visitors > 20:
            print("out of connections: none was given back", flush=True)
            os._exit(1)
"""


class DemoFailed(Exception):
    """A stage did not end as it should; the message says which and why."""


@dataclass(frozen=True)
class SampleRepository:
    """A work tree of the developer and the remote it is pushed to."""

    folder: Path
    remote: str

    def first_version(self) -> None:
        """The sample as it is in the repository."""
        shutil.copytree(SAMPLE, self.folder, dirs_exist_ok=True)

    def second_version(self) -> None:
        """Another greeting, and a test that expects it."""
        for file in (self.folder / "greeting.py", self.folder / "tests" / "test_greeting.py"):
            file.write_text(file.read_text().replace('"Hello"', '"Welcome"'))

    def crashing_version(self) -> None:
        """A service that ends as soon as it starts; its tests do not see that."""
        file = self.folder / "server.py"
        file.write_text(
            file.read_text().replace("    server = Thr", f"    {CRASH}    server = Thr")
        )

    def leaking_version(self) -> None:
        """A service that does well until twenty people came; no test sends that many.

        It is another image each time: the one of an earlier demo is vetoed in production.
        """
        whole = (SAMPLE / "server.py").read_text()
        counter = f"visitors = 0  # since {datetime.now(UTC).isoformat()}\n\n\nclass Handler"
        whole = whole.replace("\n\nclass Handler", counter, 1)
        line = '        healthy = self.path == "/healthz"\n'
        (self.folder / "server.py").write_text(whole.replace(line, line + LEAK.lstrip("\n")))

    def push(self, message: str, change: Callable[[], None]) -> str:
        """Commits a change and pushes it; returns the commit.

        Raises:
            DemoFailed: Git refused.
        """
        if not (self.folder / ".git").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._git("init", "--quiet", "--initial-branch=main")
            self._git("remote", "add", "origin", self.remote)
        change()
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--message", message)
        self._git("push", "--quiet", "origin", "main")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Dev", "-c", "user.email=dev@example.test")
        done = subprocess.run(
            ["git", *identity, *arguments],  # noqa: S607 - found on the PATH, as for a person
            cwd=self.folder, check=False, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode != 0:
            message = f"git {arguments[0]}: {done.stderr.strip()}"
            raise DemoFailed(message)
        return done.stdout
