from __future__ import annotations

from typing import Any

import pytest

from domain.resources import Resource
from intake.bindings import Promote
from intake.decisions import decide
from intake.world import World
from tests.unit.intake.resources import ORG, resource, told

pytestmark = pytest.mark.unit


def a_world(mode: str = "Auto", *more: Resource) -> World:
    world = World()
    target = {"name": "staging", "mode": mode}
    paths = [{"sourceEnvironmentRef": "dev", "targetEnvironmentRefs": [target]}]
    owner = {"componentOwner": {"projectRef": "shop"}}
    for one in (
        resource("DeploymentPipeline", "default", {"promotionPaths": paths}),
        resource("Project", "shop", {"deploymentPipelineRef": "default"}),
        resource("Component", "web", owner),
        *more,
    ):
        world.put(one)
    return world


def binding(environment: str = "dev", reason: str = "Deployed", **status: Any) -> Resource:
    spec = {"environmentRef": environment, "componentRef": "web", "artifactRef": "web-a"}
    ready = told("True" if reason in {"Deployed", "RolledBack"} else "False", reason, message="m")
    runs = {"artifactRef": "web-a", "releaseRef": f"web-{environment}-1"}
    return resource(
        "ServiceBinding", f"web-{environment}", spec, status={**ready, **runs, **status}
    )


def test_a_binding_that_is_ready_asks_for_the_automatic_step() -> None:
    decision = decide(binding(), a_world())

    assert isinstance(decision, Promote)
    (asked,) = decision.requests
    assert (asked.organization, asked.environment, asked.source) == (ORG, "staging", "dev")
    assert (asked.artifact, asked.request_id) == ("web-a", "auto-web-dev-1")
    assert asked.trigger.is_automatic


def test_a_manual_step_is_left_to_people() -> None:
    assert decide(binding(), a_world("Manual")) is None


@pytest.mark.parametrize("reason", ["CrashLoopBackOff", "GateClosed", "RolledBack"])
def test_what_is_not_ready_or_was_rolled_back_goes_nowhere(reason: str) -> None:
    assert decide(binding(reason=reason), a_world()) is None


def test_what_runs_there_already_is_not_asked_for() -> None:
    assert decide(binding(), a_world("Auto", binding("staging"))) is None


def test_without_a_pipeline_nothing_goes_on() -> None:
    assert decide(binding(), World()) is None
