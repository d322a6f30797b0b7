"""The source of what scenarios build, in a Git repository."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

DOCKERFILE = """ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
COPY . /srv
"""
"""One layer: each more is a copy of the whole image to the builder."""
SLOW = f"{DOCKERFILE}RUN sleep 120\n"
"""Long enough that it is still built when a newer commit comes, whoever is killed meanwhile."""


def commit(folder: Path, message: str, files: Mapping[str, str]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    for name, content in files.items():
        (folder / name).write_text(content)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    """Runs git as nobody in particular, at one moment: equal sources are equal commits."""
    made = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        made |= {f"GIT_{role}_NAME": "Dev", f"GIT_{role}_EMAIL": "dev@example.test"}
        made[f"GIT_{role}_DATE"] = "2026-01-01T00:00:00Z"
    done = subprocess.run(
        ("git", *arguments), cwd=folder, env={"PATH": os.environ["PATH"], **made},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()
