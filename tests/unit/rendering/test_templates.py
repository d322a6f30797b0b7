"""Parameters and expressions of classes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidRequest
from domain.rendering import render_release
from domain.rendering.templates import class_problems, filled, parts
from domain.resources.classes import ServiceClass
from tests.unit.rendering.samples import facts, main_with, of_type, one, rendered, resource

pytestmark = pytest.mark.unit

SCHEMA = {
    "type": "object",
    "properties": {
        "tier": {"type": "string", "enum": ["bronze", "gold"], "default": "bronze"},
        "pool": {
            "type": "object",
            "properties": {"size": {"type": "integer", "minimum": 1, "default": 5}},
        },
    },
}


def variables(expression: str, **changes: Any) -> dict[str, Any]:
    template = main_with(env=[{"name": "X", "value": expression}])
    release = rendered(
        service_class={"parameters": SCHEMA, "deploymentTemplate": template}, **changes
    )
    container = one(release, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    return {each["name"]: each.get("value") for each in container["env"]}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("${parameters.tier}", "bronze"),
        ("pool-${parameters.pool.size}", "pool-5"),
        ("${component.name}.${environment.name}", "web.development"),
        ("${environment.isProduction ? 'prod' : 'test'}", "test"),
        ("${{'a': 'b'}.a}", "b"),
        ("${'}'}", "}"),
        ("$${HOME}", "${HOME}"),
        ("plain", "plain"),
        ("${string(endpoints[0].port)}", "8080"),
        ("${artifact.version}", "c" * 12),
    ],
)
def test_an_expression_becomes_its_value(expression: str, value: str) -> None:
    assert variables(expression)["X"] == value


def test_a_text_that_is_one_expression_keeps_the_type_of_its_value() -> None:
    release = rendered(
        service_class={
            "parameters": SCHEMA,
            "deploymentTemplate": {"replicas": "${parameters.pool.size + 1}"},
        }
    )
    assert one(release, "Deployment")["spec"]["replicas"] == 6


def test_a_binding_goes_before_the_component_and_the_component_before_the_default() -> None:
    def tier(component: dict[str, Any], binding: dict[str, Any]) -> str:
        labels = {"tier": "${parameters.tier}-${string(parameters.pool.size)}"}
        made = of_type(
            "Service",
            component_class={"parameters": SCHEMA, "labels": labels},
            component={"parameters": component},
            binding={"parameters": binding},
        )
        return str(one(render_release(made), "Deployment")["metadata"]["labels"]["tier"])

    assert tier({}, {}) == "bronze-5"
    assert tier({"tier": "gold"}, {}) == "gold-5"
    assert tier({"tier": "gold", "pool": {"size": 2}}, {"tier": "bronze"}) == "bronze-2"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"parameters": {"tier": "silver"}},
            "ServiceBinding web-development: spec.parameters.tier: 'silver' is not one of",
        ),
        (
            {"parameters": {"pool": {"size": 0}}},
            "spec.parameters.pool.size: 0 is less than the minimum of 1",
        ),
        (
            {"parameters": {"colour": "red"}},
            "spec.parameters.colour is no parameter of ServiceClass standard-service: it has pool",
        ),
    ],
)
def test_a_wrong_parameter_is_told_with_who_set_it(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        rendered(service_class={"parameters": SCHEMA}, binding=changes)
    assert message in refused.value.message


def test_an_expression_without_a_value_is_told_with_class_path_and_expression() -> None:
    with pytest.raises(InvalidRequest) as refused:
        variables("a ${parameters.nothing}")
    assert refused.value.message == (
        "ServiceClass standard-service: spec.deploymentTemplate.template.spec.containers[0].env[0]"
        ".value: expression 'parameters.nothing': there is no nothing"
    )


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"labels": {"a": "${1 +}"}}, "spec.labels.a: expression '1 +': "),
        (
            {"labels": {"a": "${open"}},
            "spec.labels.a: expression '${open': it has no closing brace",
        ),
        ({"parameters": {"type": "list"}}, "spec.parameters: it must be the schema of an object"),
        (
            {"parameters": {"properties": {"a": {"type": "number", "default": "x"}}}},
            "spec.parameters: a default does not fit its own schema",
        ),
        (
            {"parameters": {"properties": {"a": {"$ref": "http://example.org/s.json"}}}},
            "leads outside of the schema",
        ),
        (
            {"health": [{"apiVersion": "v1", "kind": "X", "ready": "object."}]},
            "spec.health[0].ready",
        ),
    ],
)
def test_a_class_that_cannot_work_says_why(spec: dict[str, Any], problem: str) -> None:
    (found,) = class_problems(resource(ServiceClass, "odd", spec))
    assert problem in found


def test_a_class_that_works_has_no_problems() -> None:
    spec = {"parameters": SCHEMA, "labels": {"a": "${parameters.tier}"}}
    assert class_problems(resource(ServiceClass, "fine", spec)) == ()


@given(st.text(alphabet="${}'ab \\", max_size=30))
def test_taking_a_text_apart_never_fails_otherwise_than_for_an_open_brace(text: str) -> None:
    if "${" not in text:
        assert parts(text) == [(False, text)]
        return
    with suppress(InvalidRequest):
        assert all(isinstance(part, str) for _, part in parts(text))


def test_facts_without_expressions_are_left_as_they_are() -> None:
    made = facts()
    assert filled(made) is made
