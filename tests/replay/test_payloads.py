"""What travels through Temporal is still read as the last release wrote it."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, create_model

from scripts.compatibility import breaks
from scripts.payloads import BASELINE, present, problems

pytestmark = pytest.mark.replay


class Colour(StrEnum):
    RED = "red"


class MoreColour(StrEnum):
    RED = "red"
    BLUE = "blue"


def schema(**fields: Any) -> dict[str, Any]:
    model: type[BaseModel] = create_model("Request", **fields)
    return model.model_json_schema()


OLD = {
    "name": (str, ...),
    "note": (str, ""),
    "size": (Annotated[int, Field(ge=1, le=9)], 1),
    "images": (list[str], []),
    "commit": (str | None, None),
}


def test_models_and_names_of_the_last_release_are_still_taken() -> None:
    assert problems(json.loads(BASELINE.read_text()), present()) == []


def test_the_check_knows_what_every_procedure_and_activity_takes() -> None:
    calls = present()["calls"]

    assert calls["workflow DeployWorkflow"]["takes"] == [{"$ref": "#/$defs/DeployRequest"}]
    assert calls["activity apply_release"]["returns"] == [{"$ref": "#/$defs/Applied"}]
    assert {name.partition(" ")[0] for name in calls} == {
        "workflow", "signal", "update", "query", "activity",
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"more": (str, "")},
        {"name": (str, "web")},
        {"name": (str | None, ...)},
        {"size": (int, 1)},
        {"size": (Annotated[float, Field(ge=0, le=10)], 1)},
        {"note": (str, "another default")},
    ],
)
def test_a_model_that_takes_more_is_no_break(change: dict[str, Any]) -> None:
    assert breaks(schema(**OLD), schema(**OLD | change), "Request") == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"more": (str, ...)}, "Request.more: is new and has no default"),
        ({"note": (str, ...)}, "Request.note: lost its default"),
        ({"name": (int, ...)}, "Request.name: type was string, is integer"),
        ({"size": (Annotated[int, Field(ge=2, le=9)], 2)}, "Request.size: minimum was 1, is 2"),
        ({"note": (Annotated[str, Field(pattern="^a")], "a")}, "Request.note: pattern was nothing"),
        ({"images": (list[int], [])}, "Request.images.items: type was string, is integer"),
        ({"commit": (str, "")}, "Request.commit: does not take {'type': 'null'} any more"),
    ],
)
def test_a_model_that_takes_less_is_named_with_its_field(change: dict[str, Any], told: str) -> None:
    (found,) = breaks(schema(**OLD), schema(**OLD | change), "Request")

    assert found.startswith(told)


def test_a_field_that_is_gone_is_named() -> None:
    rest = {name: field for name, field in OLD.items() if name != "note"}

    assert breaks(schema(**OLD), schema(**rest), "Request") == ["Request.note: is gone"]


def test_an_enumeration_gains_values_and_loses_none() -> None:
    less, more = {"enum": list(Colour)}, {"enum": list(MoreColour)}

    assert breaks(less, more, "Colour") == []
    assert breaks(more, less, "Colour") == ["Colour: lost the values blue"]


def test_names_and_models_that_are_gone_are_told() -> None:
    old = present()
    new = json.loads(json.dumps(old))
    del new["calls"]["signal DeployWorkflow.requested"]
    del new["models"]["DeployRequest"]
    new["calls"]["activity apply_release"]["takes"] = []

    found = problems(old, new)

    assert [one.partition(":")[0] for one in found] == [
        "activity apply_release",
        "signal DeployWorkflow.requested",
        "DeployRequest",
    ]
