from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.resources import DeploymentPipeline, parse_as
from tests.unit.resources.samples import resource


def _pipeline(*edges: tuple[str, str]) -> DeploymentPipeline:
    targets: dict[str, list[dict[str, str]]] = {}
    for source, target in edges:
        targets.setdefault(source, [])
        if target:
            targets[source].append({"name": target})
    paths = [
        {"sourceEnvironmentRef": source, "targetEnvironmentRefs": names}
        for source, names in targets.items()
    ]
    return parse_as(DeploymentPipeline, resource("DeploymentPipeline", promotionPaths=paths))


def test_environments_come_in_the_order_of_promotion() -> None:
    pipeline = _pipeline(("staging", "production"), ("development", "staging"))
    assert pipeline.environments == ("development", "staging", "production")
    assert pipeline.first_environment == "development"
    assert pipeline.problems() == ()


def test_a_pipeline_may_have_one_environment() -> None:
    assert _pipeline(("development", "")).first_environment == "development"


def test_a_pipeline_may_fork_and_meet_again() -> None:
    pipeline = _pipeline(("dev", "eu"), ("dev", "us"), ("eu", "world"), ("us", "world"))
    assert pipeline.environments == ("dev", "eu", "us", "world")
    assert pipeline.problems() == ()


def test_two_beginnings_are_a_problem() -> None:
    pipeline = _pipeline(("a", "c"), ("b", "c"))
    assert pipeline.first_environment == ""
    assert pipeline.problems() == (
        "a, b are each no target of a promotion: exactly one environment must be the first",
    )


def test_a_circle_is_a_problem() -> None:
    pipeline = _pipeline(("dev", "a"), ("a", "b"), ("b", "a"))
    assert pipeline.problems() == ("promotion goes in a circle among a, b",)
    assert pipeline.environments == ("dev",)


def test_a_mere_circle_has_no_first_environment() -> None:
    pipeline = _pipeline(("a", "b"), ("b", "a"))
    assert pipeline.first_environment == ""
    assert pipeline.problems() == ("promotion goes in a circle among a, b",)


@given(st.sets(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")), min_size=1))
def test_every_environment_is_in_order_or_in_a_problem(edges: set[tuple[str, str]]) -> None:
    proper = [(source, target) for source, target in sorted(edges) if source != target]
    if not proper:
        return
    pipeline = _pipeline(*proper)
    order = pipeline.environments
    for source, target in proper:
        if target in order:
            assert order.index(source) < order.index(target)
    everything = {name for edge in proper for name in edge}
    assert set(order) == everything or pipeline.problems()
