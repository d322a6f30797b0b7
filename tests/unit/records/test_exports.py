from __future__ import annotations

import json
from typing import Any

import pytest

from domain.records import ChainedFact, ChainHead, ChainVerifier, FactResult, chained
from domain.records.compare import Difference, differences
from domain.records.exports import cef_line, json_line
from tests.unit.records.samples import a_fact

pytestmark = pytest.mark.unit


def a_row(**changes: Any) -> ChainedFact:
    rows, _ = chained(ChainHead(organization="acme"), [a_fact(**changes)])
    return rows[0]


def test_exported_lines_hold_all_that_verifying_them_needs() -> None:
    rows, head = chained(ChainHead(organization="acme"), [a_fact("one"), a_fact("two")])
    verifier = ChainVerifier("acme")

    for line in map(json_line, rows):
        content = json.loads(line)
        assert content["fact"]["actor"] == "ada@example.com"
        names = ("sequence", "previous", "hash", "body")
        kept = {name: content[name] for name in names}
        verifier.feed(ChainedFact(organization="acme", key=content["fact"]["key"], **kept))

    assert verifier.finish(head).holds


def test_nothing_in_a_fact_can_forge_a_second_cef_event_or_field() -> None:
    line = cef_line(
        a_row(reason="x\nCEF:0|a outcome=done", subject="we|b", result=FactResult.FAILED), "1.0"
    )

    assert "\n" not in line
    assert line.startswith(
        "CEF:0|Pavane|pavane|1.0|deployment.applied|deployment.applied we\\|b|7|"
    )
    assert "reason=x\\nCEF:0|a outcome\\=done" in line
    assert "cs1Label=organization cs1=acme" in line


def an_object(kind: str = "Deployment", **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "web"}, "spec": spec}


def test_equal_releases_do_not_differ() -> None:
    assert differences([an_object(replicas=1)], [an_object(replicas=1)]) == ()


def test_fields_are_told_by_their_paths_and_list_entries_by_their_names() -> None:
    before = an_object(replicas=1, containers=[{"name": "web", "image": "one"}])
    after = an_object(replicas=2, containers=[{"name": "web", "image": "two"}], paused=True)

    found = {one.field: (one.before, one.after) for one in differences([before], [after])}

    assert found == {
        "spec.replicas": ("1", "2"),
        "spec.containers[web].image": ('"one"', '"two"'),
        "spec.paused": ("", "true"),
    }


def test_objects_that_only_one_release_has_are_told() -> None:
    found = differences([an_object("Service")], [an_object("HTTPRoute")])

    assert found == (
        Difference(object="Service/web", field="", before="there"),
        Difference(object="HTTPRoute/web", field="", after="there"),
    )


def test_what_changed_in_a_secret_is_not_shown() -> None:
    (found,) = differences([an_object("Secret", a="topsecret")], [an_object("Secret", a="other")])

    assert "topsecret" not in found.model_dump_json()
    assert found.field == ""
