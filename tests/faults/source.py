"""The source of a component and the image that runs where nothing was built."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import httpx


async def push(folder: Path, organization: str, text: str = "one") -> str:
    """Commits a small service to the component's repository; returns the commit."""
    remote = f"{os.environ['PAVANE_GIT__URL']}/{organization}/web.git"
    (folder / "Dockerfile").write_text(
        "ARG PYTHON_IMAGE\nFROM ${PYTHON_IMAGE}\nCOPY index.html /srv/index.html\n"
    )
    (folder / "index.html").write_text(text)
    await _git(folder, "init", "--quiet", "--initial-branch=main")
    await _git(folder, "add", "--all")
    await _git(folder, "commit", "--quiet", f"--message={text}")
    await _git(folder, "push", "--quiet", remote, "main")
    return (await _git(folder, "rev-parse", "HEAD")).strip()


async def _git(folder: Path, *arguments: str) -> str:
    nobody = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        nobody |= {f"GIT_{role}_NAME": "Dev", f"GIT_{role}_EMAIL": "dev@example.test"}
    process = await asyncio.create_subprocess_exec(
        *("git", "-C", str(folder), *arguments),
        env={"PATH": os.environ["PATH"], **nobody},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, arguments
    return output.decode()


async def runtime_image() -> str:
    """The runtime image of the stack, by digest."""
    name = os.environ["PAVANE_BUILD__RUNTIME_IMAGE"]
    host, _, path = name.partition("/")
    repository, _, tag = path.rpartition(":")
    accepted = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
    async with httpx.AsyncClient(trust_env=False) as client:
        found = await client.head(
            f"http://{host}/v2/{repository}/manifests/{tag}", headers={"Accept": accepted}
        )
    assert found.is_success, found.status_code
    return f"{host}/{repository}@{found.headers['docker-content-digest']}"
