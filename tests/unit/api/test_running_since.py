"""Since when a release has run where it runs."""

from __future__ import annotations

from typing import Any

import pytest

from api.views.components import running_since
from domain.resources import Deployment, ServiceBinding, parse_as

pytestmark = pytest.mark.unit


def deployment(number: int, release: str, finished: str) -> Deployment:
    names = {"bindingRef": "web-dev", "componentRef": "web", "environmentRef": "dev"}
    return parse_as(
        Deployment,
        resource("Deployment", f"web-dev-{number}", {**names, "releaseRef": release})
        | {"status": {"phase": "Succeeded", "finished": f"2026-11-27T07:10:{finished}Z"}},
    )


def binding(release: str) -> ServiceBinding:
    wanted = {"componentRef": "web", "environmentRef": "dev", "artifactRef": "web-a"}
    status = {"artifactRef": "web-a", "releaseRef": release}
    return parse_as(
        ServiceBinding, resource("ServiceBinding", "web-dev", wanted) | {"status": status}
    )


def resource(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "acme", "uid": name, "resourceVersion": "1"}
    return {
        "apiVersion": "choreo.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec,
    }  # fmt: skip


def told(release: str, *deployments: Deployment) -> str:
    moment = running_since(binding(release), deployments)
    return "" if moment is None else f"{moment:%S}"


def test_what_was_deployed_again_without_a_change_has_run_since_the_first_time() -> None:
    first, again = deployment(2, "web-b", "20"), deployment(3, "web-b", "30")
    assert told("web-b", deployment(1, "web-a", "10"), first, again) == "20"


def test_what_was_brought_back_runs_since_it_was_brought_back() -> None:
    before = (deployment(1, "web-a", "10"), deployment(2, "web-b", "20"))
    assert told("web-a", *before, deployment(3, "web-a", "30")) == "30"


def test_of_two_that_ended_in_one_second_what_runs_came_last() -> None:
    before = (deployment(1, "web-a", "10"), deployment(2, "web-b", "20"))
    assert told("web-a", *before, deployment(3, "web-a", "20")) == "20"


def test_nothing_is_told_while_it_is_not_known_when_it_came() -> None:
    assert told("web-c", deployment(1, "web-a", "10")) == ""
