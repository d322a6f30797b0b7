from __future__ import annotations

from typing import Any

import pytest

from domain.errors import InvalidRequest
from domain.secrets.delivery import PULLS, consumers
from tests.unit.rendering.samples import one, rendered

pytestmark = pytest.mark.unit
WHO = {"vaultPath": "shared/registry"}


def plane(**registry: Any) -> dict[str, Any]:
    return {"registry": registry}


def test_the_credential_of_a_plane_is_the_pull_secret_of_its_components() -> None:
    theirs = {"spec": {"imagePullSecrets": [{"name": "of-the-class"}]}}
    release = rendered(
        plane=plane(host="registry:5000", credentials=WHO), template={"template": theirs}
    )
    workload = one(release, "Deployment")
    (found,) = consumers(workload)

    assert (found.registry, found.restarts) == ("registry:5000", False)
    assert set(found.keys.values()) == {"shared/registry/username", "shared/registry/password"}
    pod = workload["spec"]["template"]["spec"]
    assert [each["name"] for each in pod["imagePullSecrets"]] == [found.secret, "of-the-class"]


def test_a_plane_that_is_nobody_to_its_registry_has_components_without_pull_secrets() -> None:
    workload = one(rendered(plane=plane(host="registry:5000")), "Deployment")

    assert "imagePullSecrets" not in workload["spec"]["template"]["spec"]
    assert PULLS not in workload["metadata"].get("annotations", {})


def test_a_credential_without_the_host_it_is_for_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"needs spec\.registry\.host"):
        rendered(plane=plane(credentials=WHO))
