from __future__ import annotations

import pytest

from domain.policies.promotion.arrivals import Arrival, arrival
from tests.unit.promotion.cases import request

pytestmark = pytest.mark.unit


def test_the_same_artifact_asked_for_again_joins() -> None:
    older = request(artifact="web-a")
    assert arrival(request(artifact="web-a"), older) is Arrival.JOINS
    assert arrival(request(artifact="web-a"), request(), "web-a") is Arrival.JOINS
    assert arrival(request(), request()) is Arrival.JOINS


def test_another_artifact_takes_the_place() -> None:
    assert arrival(request(artifact="web-b"), request(artifact="web-a")) is Arrival.SUPERSEDES
    assert arrival(request(), request(artifact="web-a")) is Arrival.SUPERSEDES


def test_a_hotfix_takes_the_place_of_an_ordinary_one_for_the_same() -> None:
    older = request(artifact="web-a")
    assert arrival(request(artifact="web-a", hotfix=True), older) is Arrival.SUPERSEDES


def test_another_source_is_another_promotion() -> None:
    older = request(artifact="web-a", source="eu")
    assert arrival(request(artifact="web-a", source="us"), older) is Arrival.SUPERSEDES
    assert arrival(request(artifact="web-a"), older) is Arrival.JOINS


def test_automation_waits_for_what_a_person_asked_for() -> None:
    by_itself = request(automatic=True, artifact="web-b")
    assert arrival(by_itself, request(artifact="web-a")) is Arrival.WAITS
    older = request(automatic=True, artifact="web-a")
    assert arrival(by_itself, older) is Arrival.SUPERSEDES
