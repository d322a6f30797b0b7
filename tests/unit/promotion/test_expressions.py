from __future__ import annotations

import pytest

from domain.expressions import expression_problem, judge
from tests.unit.promotion.cases import pipeline

pytestmark = pytest.mark.unit


def test_an_expression_is_true_false_or_not_to_be_judged() -> None:
    facts = {"artifact": {"branch": "main"}, "source": {"soaked": 7}}
    assert judge('artifact.branch == "main" && source.soaked > 5', facts)[0] is True
    assert judge('artifact.branch == "next"', facts)[0] is False
    assert judge("artifact.branch", facts)[0] is None
    assert judge("nobody.knows", facts)[0] is None
    assert judge("1 +", facts)[0] is None


def test_a_pipeline_says_what_is_wrong_with_its_gates() -> None:
    gates = [
        {"name": "order", "check": "Manual"},
        {"name": "main", "check": "Expression", "expression": "artifact.branch =="},
    ]
    step = pipeline(("dev", "staging"), gates=gates, hotfix={"skips": ["main", "approval", "x"]})
    told = "\n".join(step.problems())
    assert "names a gate order, which is always there" in told
    assert "gate main: the expression cannot be read" in told
    assert "lets a hotfix skip x, which is no gate of it" in told
    assert "skip approval" not in told
    assert expression_problem("true") == ""
