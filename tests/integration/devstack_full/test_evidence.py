"""What a real build pod leaves beside the image, and what the scanner of the platform said."""

from __future__ import annotations

import asyncio
import copy
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.deliveries import BuildPlan
from domain.policies.build_outcome import judge_build
from domain.rendering.build import BuilderSettings, render_build
from tests.integration.devstack_full.conftest import Kubectl
from tests.integration.devstack_full.test_builds import git, workflow

pytestmark = [pytest.mark.e2e, pytest.mark.sampled]

_SCANNER = 'if grep -q "pkg:deb/debian/dash@" "$1"; then echo dash is not wanted; exit 1; fi'
_OCI = "application/vnd.oci.image.manifest.v1+json"


async def pushed(stack: dict[str, str], namespace: str, folder: Path) -> BuildPlan:
    """Pushes a commit whose Dockerfile only names its base, and returns the plan of its build."""
    source = f"{stack['PAVANE_GIT__URL']}/{namespace}/scanned.git"
    (folder / "Dockerfile").write_text(f"FROM {stack['PAVANE_BUILD__RUNTIME_IMAGE']}\n")
    await git(folder, "init", "--quiet", "--initial-branch=main")
    await git(folder, "add", "Dockerfile")
    await git(folder, "commit", "--quiet", "--message=Begin")
    await git(folder, "push", "--quiet", source, "main")
    return BuildPlan(
        organization="acme",
        project="shop",
        component="scanned",
        name="scanned",
        repository=source,
        commit=(folder / ".git/refs/heads/main").read_text().strip(),
        image=f"{stack['PAVANE_REGISTRY__PULL_HOST']}/{namespace}/scanned",
        task_queue="plane.local",
        service_account="builder",
    )


async def ended(kubectl: Kubectl) -> dict[str, Any]:
    async with asyncio.timeout(240):
        while True:
            live = await kubectl.get("workflow/scanned")
            if live.get("status", {}).get("phase") in {"Succeeded", "Failed", "Error"}:
                return live
            await asyncio.sleep(0.5)


@pytest.mark.timeout(300)
async def test_image_has_its_list_of_packages_and_the_scanner_s_exit_code_is_the_verdict(
    stack: dict[str, str], kubectl: Kubectl, tmp_path: Path
) -> None:
    plan = await pushed(stack, kubectl.namespace, tmp_path)
    settings = BuilderSettings(
        builder_image=stack["PAVANE_BUILD__BUILDER_IMAGE"],
        insecure=True,
        scan_command=("bash", "-c", _SCANNER, "scanner"),
    )
    own = copy.deepcopy(render_build(plan, settings).workflow)
    own["metadata"]["namespace"] = kubectl.namespace
    # The service account of this test has no token of its own for Argo's sidecar.
    del own["spec"]["executor"], own["spec"]["automountServiceAccountToken"]

    await kubectl.apply(*workflow(stack, "")[:3], own)
    verdict = judge_build(await ended(kubectl))

    assert verdict.phase.value == "Succeeded", await kubectl.run("logs", "scanned", "-c", "main")
    assert (verdict.report.scan.verdict, verdict.report.scan.reason) == (
        "refused",
        "dash is not wanted",
    )
    assert [stage.name for stage in verdict.report.stages][-3:] == ["push", "sbom", "scan"]
    base = f"{stack['PAVANE_REGISTRY__URL']}/v2/{kubectl.namespace}/scanned"
    async with httpx.AsyncClient(headers={"Accept": _OCI}, trust_env=False) as client:
        manifest = (await client.get(f"{base}/manifests/{verdict.report.sbom}")).json()
        assert manifest["subject"]["digest"] == verdict.report.digest
        listed = (await client.get(f"{base}/blobs/{manifest['layers'][0]['digest']}")).json()
    names = {component["name"] for component in listed["components"]}
    assert {"dash", "python3", "libc6"} <= names
