"""Who waits for a promotion to one place, and who gives way."""

from __future__ import annotations

import pytest

from tests.unit.promotion.cases import request
from workflows.promotions.requests import Requests

pytestmark = pytest.mark.unit


def test_automation_waits_behind_a_person_and_gives_way_to_the_next_one() -> None:
    person = request(artifact="web-a", request_id="person")
    requests = Requests(person)
    by_itself = request(automatic=True, artifact="web-b", request_id="itself")

    assert not requests.came(by_itself, None)
    assert list(requests.ids) == ["person", "itself"]
    assert not requests.came(by_itself, None)
    assert list(requests.ids) == ["person", "itself"]
    assert not requests.came(request(artifact="web-c", request_id="other"), None)
    assert list(requests.ids) == ["other"]
