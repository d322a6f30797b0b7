from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.operations.visibility import Filters, _decoded, _encoded, query, quoted
from domain.errors import InvalidRequest
from domain.phases import Phase


@given(st.text())
def test_no_text_ends_its_own_literal(text: str) -> None:
    inside = quoted(text)[1:-1]
    unescaped = inside.replace("\\\\", "").replace("\\'", "")

    assert "'" not in unescaped
    assert not unescaped.endswith("\\")


def test_filters_become_terms() -> None:
    built = query(Filters("acme", "web", "dev", "deploy", Phase.SUCCEEDED))

    assert built == (
        "ExecutionStatus != 'ContinuedAsNew' AND PavaneOrganization = 'acme' AND "
        "PavaneComponent = 'web' AND PavaneEnvironment = 'dev' AND PavaneKind = 'deploy' AND "
        "PavanePhase = 'Succeeded'"
    )


def test_lanes_are_not_listed_as_they_are_no_operations() -> None:
    assert "PavaneKind != 'build-lane'" in query(Filters("acme"))


def test_a_running_phase_that_was_left_behind_is_not_running() -> None:
    assert "ExecutionStatus = 'Running'" in query(Filters("acme", phase=Phase.RUNNING))


def test_a_terminated_run_counts_as_errored() -> None:
    assert "'Terminated'" in query(Filters("acme", phase=Phase.ERRORED))


@given(st.binary(min_size=1))
def test_page_tokens_travel_through_urls(token: bytes) -> None:
    assert _decoded(_encoded(token)) == token


@pytest.mark.parametrize("token", ["é", "a", "%%%"])
def test_a_foreign_page_token_is_an_invalid_request(token: str) -> None:
    with pytest.raises(InvalidRequest):
        _decoded(token)
