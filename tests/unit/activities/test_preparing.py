from __future__ import annotations

import pytest

from activities.releases.preparing import of_artifact
from domain.deliveries import Bundle, PreparedRelease
from domain.resources import DeployableArtifact, Metadata
from domain.resources.build import DeployableArtifactSpec

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("before", "changed", "told"),
    [("web-0", True, 42.5), ("", True, 42.5), ("web-1", True, None), ("web-0", False, None)],
)
def test_the_time_of_a_build_is_told_only_when_its_artifact_is_brought_anew(
    before: str, changed: bool, told: float | None
) -> None:
    artifact = DeployableArtifact(
        metadata=Metadata(name="web-1", namespace="acme"),
        spec=DeployableArtifactSpec(
            component_ref="web",
            image=f"registry.example/acme/web@sha256:{'a' * 64}",
            build_seconds=42.5,
        ),
    )
    prepared = PreparedRelease(
        organization="acme", project="shop", component="web", environment="dev",
        binding="web-dev", deployment="web-dev-1", task_queue="plane.local",
        from_artifact=before, changed=changed,
        bundle=Bundle(release="r"),
    )  # fmt: skip
    assert of_artifact(artifact, prepared)["build_seconds"] == told
    assert of_artifact(None, prepared) == {"version": ""}
