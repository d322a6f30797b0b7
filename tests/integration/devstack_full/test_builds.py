"""From a pushed commit to a running image, with Argo, buildah and the registry alone."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from tests.integration.devstack_full.conftest import DEADLINE, Kubectl, web

pytestmark = pytest.mark.e2e

_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID", "SETFCAP", "SYS_CHROOT"]
_DOCKERFILE = """ARG RUNTIME
FROM ${RUNTIME}
WORKDIR /srv
RUN python3 -c 'print("made in a build")' > /srv/index.html
CMD ["python3", "-m", "http.server", "8000"]
"""
_SCRIPT = """
git clone --quiet {source} /source
buildah build --tls-verify=false --build-arg RUNTIME={runtime} --tag {target} /source
buildah push --tls-verify=false --digestfile /tmp/digest {target}
"""


async def git(folder: Path, *arguments: str) -> None:
    nobody = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        nobody |= {f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@example.test"}
    process = await asyncio.create_subprocess_exec(
        *("git", "-C", str(folder), *arguments), env={"PATH": os.environ["PATH"], **nobody}
    )
    assert await process.wait() == 0


def workflow(stack: dict[str, str], script: str) -> tuple[dict[str, Any], ...]:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "builder"}
    container = {
        "image": stack["PAVANE_BUILD__BUILDER_IMAGE"],
        "command": ["sh", "-ec", script],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"], "add": _CAPABILITIES},
        },
    }
    digest = {"name": "digest", "valueFrom": {"path": "/tmp/digest"}}
    return (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "builder"}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "builder"},
            "rules": [
                {
                    "apiGroups": ["argoproj.io"],
                    "resources": ["workflowtaskresults"],
                    "verbs": ["create", "patch"],
                }
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "builder"},
            "roleRef": role,
            "subjects": [{"kind": "ServiceAccount", "name": "builder"}],
        },
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": "build"},
            "spec": {
                "serviceAccountName": "builder",
                "entrypoint": "build",
                "templates": [
                    {"name": "build", "container": container, "outputs": {"parameters": [digest]}}
                ],
            },
        },
    )


@pytest.mark.timeout(300)
async def test_a_pushed_commit_is_built_without_privileges_and_its_image_runs(
    stack: dict[str, str], kubectl: Kubectl, tmp_path: Path
) -> None:
    source = f"{stack['PAVANE_GIT__URL']}/{kubectl.namespace}/web.git"
    repository = f"{stack['PAVANE_REGISTRY__PULL_HOST']}/{kubectl.namespace}/web"
    (tmp_path / "Dockerfile").write_text(_DOCKERFILE)
    await git(tmp_path, "init", "--quiet", "--initial-branch=main")
    await git(tmp_path, "add", "Dockerfile")
    await git(tmp_path, "commit", "--quiet", "--message=Begin")
    await git(tmp_path, "push", "--quiet", source, "main")

    script = _SCRIPT.format(
        source=source, runtime=stack["PAVANE_BUILD__RUNTIME_IMAGE"], target=f"{repository}:1"
    )
    await kubectl.apply(*workflow(stack, script))
    async with asyncio.timeout(200):
        while True:
            built = (await kubectl.get("workflow/build")).get("status", {})
            if built.get("phase") in {"Succeeded", "Failed", "Error"}:
                break
            await asyncio.sleep(0.5)
    assert built["phase"] == "Succeeded", await kubectl.run("logs", "build", "-c", "main")

    (node,) = built["nodes"].values()
    digest = node["outputs"]["parameters"][0]["value"]
    command = ("python3", "-m", "http.server", "8000", "--directory", "/srv")
    await kubectl.apply(*web(f"{repository}@{digest}", command=command))
    await kubectl.run("rollout", "status", "deployment/web", f"--timeout={DEADLINE:.0f}s")
    page = await kubectl.run("exec", "deployment/web", "--", "cat", "/srv/index.html")
    assert page.strip() == "made in a build"
