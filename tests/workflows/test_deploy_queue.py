from __future__ import annotations

from domain.deliveries import DeployRequest
from workflows.deployments.queue import DeployQueue


def a_request(request_id: str) -> DeployRequest:
    return DeployRequest(
        organization="acme", component="web", environment="dev", request_id=request_id
    )


def test_a_request_that_was_carried_out_is_known_and_gets_no_place() -> None:
    queue = DeployQueue()
    queue.add(a_request("one"))
    queue.take()
    queue.take()

    again = queue.add(a_request("one"))

    assert (again.position, again.duplicate) == (0, True)
    assert queue.take() is None


def test_the_last_hundred_requests_are_remembered_and_older_ones_are_not() -> None:
    queue = DeployQueue()
    for number in range(101):
        queue.add(a_request(f"r{number}"))
        queue.take()
    queue.take()

    oldest, next_oldest = queue.add(a_request("r0")), queue.add(a_request("r1"))

    assert (oldest.duplicate, next_oldest.duplicate) == (False, True)


def test_a_request_taken_out_of_the_queue_is_not_run() -> None:
    queue = DeployQueue()
    for name in ("one", "two", "three"):
        queue.add(a_request(name))
    running = queue.take()

    assert running == a_request("one")
    assert queue.withdraw("two")
    assert not queue.withdraw("one")
    assert queue.waiting == ("three",)
    assert queue.take() == a_request("three")


def of_generation(generation: int) -> DeployRequest:
    asked = a_request(f"binding-{generation}")
    return asked.model_copy(update={"generation": generation})


def test_what_the_binding_asked_by_itself_is_answered_by_the_order_that_changed_it() -> None:
    queue = DeployQueue()
    queue.add(a_request("order"))
    queue.take()
    queue.add(of_generation(2))
    queue.add(of_generation(3))
    queue.add(a_request("another order"))

    queue.renders(2)

    assert queue.waiting == ("binding-3", "another order")
    assert queue.add(of_generation(2)).duplicate
    assert not queue.add(of_generation(4)).duplicate


def test_the_rest_of_a_queue_is_one_request_with_those_behind_it() -> None:
    queue = DeployQueue()
    for name in ("one", "two", "three"):
        queue.add(a_request(name))
    queue.take()

    rest = queue.rest()

    assert rest is not None
    assert [rest.request_id, *(each.request_id for each in rest.behind)] == ["two", "three"]
    assert DeployQueue().rest() is None
