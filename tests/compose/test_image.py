"""The image of `api` and `worker`, built: what it says and what it can do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.compose import standins
from tests.compose.composed import ROOT
from tests.compose.engine import Engine

pytestmark = [pytest.mark.compose, pytest.mark.timeout(2400)]
IMAGE = "pavane:local"
HARDENED = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--network=none")
MEGABYTE = 1_000_000


def build(docker: Engine, tag: str, *options: str) -> dict[str, Any]:
    docker.docker(
        *("build", "--file=docker/Dockerfile", f"--tag={tag}", *options),
        f"--build-arg=PYTHON={standins.PYTHON}",
        f"--secret=id=ca,src={standins.bundle()}",
        str(ROOT),
        timeout=1800,
    )
    (found,) = json.loads(docker.docker("image", "inspect", tag))
    described: dict[str, Any] = found
    return described


def test_the_image_is_small_labelled_nobodys_and_has_the_command_line(docker: Engine) -> None:
    found = build(docker, IMAGE, "--build-arg=REVISION=0123abc")
    (base,) = json.loads(docker.docker("image", "inspect", standins.PYTHON))
    labels = found["Config"]["Labels"]

    assert (found["Size"] - base["Size"]) / MEGABYTE < 260
    assert found["Config"]["User"] == "10001:10001"
    assert labels["org.opencontainers.image.revision"] == "0123abc"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    told = docker.docker("run", "--rm", *HARDENED, IMAGE, "pavane", "--help")
    assert "Usage: pavane" in told
    leaked = docker.docker("run", "--rm", IMAGE, "sh", "-c", "ls /run/secrets 2>/dev/null; env")
    assert "PIP_CERT" not in leaked
