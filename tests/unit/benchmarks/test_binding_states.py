from __future__ import annotations

import asyncio
from typing import Any

import pytest

from benchmarks.sightings import NotMeasured, Sightings, ready_generation, value_of


def binding(generation: int, status: str) -> dict[str, Any]:
    ready = {"type": "Ready", "status": status, "observedGeneration": generation}
    return {"metadata": {"name": "web-dev"}, "status": {"conditions": [ready]}}


def deployment(*variables: dict[str, str]) -> dict[str, Any]:
    containers = [{"name": "sidecar"}, {"name": "main", "env": list(variables)}]
    return {
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": containers}}},
    }


def test_only_a_ready_binding_shows_a_generation() -> None:
    assert ready_generation(binding(3, "True")) == ("web-dev", 3)
    assert ready_generation(binding(3, "False")) is None
    assert ready_generation({"metadata": {"name": "web-dev"}}) is None


def test_a_value_is_found_in_any_container_by_the_name_of_its_variable() -> None:
    assert value_of(deployment({"name": "BENCH", "value": "2"})) == ("web", "2")
    assert value_of(deployment({"name": "OTHER", "value": "2"})) == ("web", "")
    assert value_of(deployment()) == ("web", "")


async def test_the_first_sight_of_a_mark_counts() -> None:
    seen = Sightings(value_of)
    await seen.see(deployment({"name": "BENCH", "value": "1"}))
    first = seen.at(("web", "1"))
    await seen.see(deployment({"name": "BENCH", "value": "1"}))

    assert seen.at(("web", "1")) == first


async def test_a_wait_ends_when_the_last_mark_is_seen() -> None:
    seen = Sightings(value_of)
    waiting = asyncio.ensure_future(seen.all_of([("web", "1"), ("web", "2")], "values", 30))
    await seen.see(deployment({"name": "BENCH", "value": "1"}))
    await asyncio.sleep(0)
    assert not waiting.done()

    await seen.see(deployment({"name": "BENCH", "value": "2"}))
    await waiting


async def test_what_is_not_seen_in_time_is_named() -> None:
    with pytest.raises(NotMeasured, match="1 of 1 values, such as missing"):
        await Sightings(value_of).all_of(["missing"], "values", 0)
