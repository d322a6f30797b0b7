from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries import ConfigurationPin, DeployRequest, Trigger, TriggerKind
from domain.policies.queue import admit, position, withdraw

pytestmark = pytest.mark.unit


def request(
    key: str, kind: TriggerKind = TriggerKind.API, artifact: str = "", force: bool = False
) -> DeployRequest:
    return DeployRequest(
        organization="acme",
        component="web",
        environment="development",
        request_id=key,
        artifact=artifact,
        force_conflicts=force,
        trigger=Trigger(kind=kind),
    )


def automatic(key: str, artifact: str = "", force: bool = False) -> DeployRequest:
    return request(key, TriggerKind.AUTOMATIC, artifact, force)


requests = st.builds(
    request,
    st.sampled_from("abcdefgh"),
    st.sampled_from([TriggerKind.API, TriggerKind.AUTOMATIC]),
    st.sampled_from(["", "web-1", "web-2"]),
    st.booleans(),
)


def put_back(key: str, *objects: str) -> DeployRequest:
    return automatic(key, force=True).model_copy(update={"put_back": objects})


def test_a_put_back_and_a_deployment_never_take_each_others_place() -> None:
    """A rendering that equals what runs puts nothing back; a put-back renders nothing."""
    waiting = (automatic("a"), put_back("b", "Service/web"))

    assert admit(waiting, None, put_back("c", "Deployment/web")).superseded == ()
    assert admit(waiting, None, automatic("c")).superseded == (waiting[0],)


def test_a_put_back_takes_the_place_of_one_of_the_same_objects() -> None:
    waiting = (put_back("a", "Service/web"),)

    assert admit(waiting, None, put_back("b", "Service/web")).superseded == waiting


def test_first_request_runs_at_once() -> None:
    admission = admit((), None, request("a"))
    assert (admission.position, admission.duplicate) == (0, False)
    assert admission.waiting == (request("a"),)


def test_requests_wait_in_the_order_they_came() -> None:
    admission = admit((request("b"),), request("a"), request("c"))
    assert admission.position == 2
    assert [each.request_id for each in admission.waiting] == ["b", "c"]


def test_the_same_request_keeps_its_place() -> None:
    waiting = (request("b"), request("c"))
    again = admit(waiting, request("a"), request("c"))
    assert (again.position, again.duplicate, again.waiting) == (2, True, waiting)
    assert admit(waiting, request("a"), request("a")).position == 0


def test_newer_automatic_request_supersedes_waiting_automatic_ones() -> None:
    waiting = (automatic("b"), request("c"), automatic("d"))
    admission = admit(waiting, automatic("a"), automatic("e"))
    assert [each.request_id for each in admission.waiting] == ["c", "e"]
    assert [each.request_id for each in admission.superseded] == ["b", "d"]
    assert admission.position == 2


def test_what_a_newer_request_does_not_cover_is_not_superseded() -> None:
    named, forced = automatic("b", artifact="web-1"), automatic("c", force=True)
    admission = admit((named, forced), None, automatic("d"))
    assert admission.superseded == ()
    covering = admit((named, forced), None, automatic("e", artifact="web-2", force=True))
    assert covering.superseded == (named, forced)


@pytest.mark.parametrize(
    "asked",
    [
        {"class_revision": "service-1"},
        {"configuration": (ConfigurationPin(group="db", revision="db-2"),)},
    ],
)
def test_a_revision_that_waits_is_not_lost_to_a_newer_deployment(asked: dict[str, object]) -> None:
    older = automatic("a").model_copy(update=asked)
    plain = automatic("b", "web-2")
    assert admit([older], request("x"), plain).waiting == (older, plain)
    same = plain.model_copy(update=asked)
    assert admit([older], request("x"), same).superseded == (older,)


@given(arrivals=st.lists(requests, max_size=12))
def test_requests_of_people_are_never_dropped_and_never_overtake(
    arrivals: list[DeployRequest],
) -> None:
    waiting: tuple[DeployRequest, ...] = ()
    people: list[str] = []
    for each in arrivals:
        admission = admit(waiting, None, each)
        waiting = admission.waiting
        if not admission.duplicate and not each.trigger.is_automatic:
            people.append(each.request_id)
        assert position(waiting, None, each.request_id) == admission.position
    assert [each.request_id for each in waiting if not each.trigger.is_automatic] == people
    ids = [each.request_id for each in waiting]
    assert len(set(ids)) == len(ids)


def test_withdrawn_request_leaves_the_others_in_order() -> None:
    waiting = (request("a"), request("b"), request("c"))
    assert withdraw(waiting, "b") == (request("a"), request("c"))
    assert withdraw(waiting, "x") == waiting
    assert position(waiting, None, "x") is None
