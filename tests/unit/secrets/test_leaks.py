"""What is to be done when secrets of a project leaked."""

from __future__ import annotations

import pytest

from domain.deliveries.leaks import LeakFacts, LeakPlan, LeakRequest, LeakResources, LeakRotation
from domain.deliveries.rotations import PlaneConsumers
from domain.deliveries.secrets import SecretConsumer
from domain.errors import InvalidRequest
from domain.secrets import leaks

pytestmark = pytest.mark.unit

PATHS = ("shop/production/db", "shop/staging/db", "shop/all/smtp", "shop/key", "shared/proxy")


def consumer(name: str, *paths: str) -> SecretConsumer:
    return SecretConsumer(
        organization="acme", project="shop", environment="production", component=name,
        namespace="x", kind="Deployment", name=name, secret="s",
        keys={str(number): f"{path}/value" for number, path in enumerate(paths)},
    )  # fmt: skip


def planned(environment: str = "", *paths: str, **more: object) -> LeakPlan:
    rotation = LeakRotation(name="db", path="shop/production/db", approvers=("owners",))
    facts = LeakFacts(
        resources=LeakResources(rotations=(rotation,)),
        paths=paths or PATHS,
        consumers=(
            PlaneConsumers(queue="p", items=(consumer("web", PATHS[0], PATHS[2]),)),
            PlaneConsumers(queue="q", items=(consumer("api", PATHS[0], "shared/proxy"),)),
        ),
    )
    request = LeakRequest(organization="acme", project="shop", environment=environment)
    return leaks.plan_of(request, facts.model_copy(update=more))


@pytest.mark.parametrize(
    ("environment", "by_hand"),
    [
        ("", ["shop/all/smtp", "shop/key", "shop/staging/db"]),
        ("production", ["shop/all/smtp", "shop/key"]),
    ],
)
def test_a_plan_has_what_is_of_the_project_there_and_tells_what_nothing_can_turn_over(
    environment: str, by_hand: list[str]
) -> None:
    plan = planned(environment)

    (entry,) = plan.entries
    assert (entry.path, entry.rotation, entry.skips) == ("shop/production/db", "db", ("owners",))
    assert entry.consumers == ("api in production", "web in production")
    assert [one.path for one in plan.by_hand] == by_hand
    assert plan.by_hand[0].consumers == ("web in production",)


def test_another_consumer_or_secret_or_a_silent_plane_is_another_plan() -> None:
    hashes = {
        planned().hash,
        planned(consumers=()).hash,
        planned("", *PATHS, "shop/new").hash,
        planned(silent_planes=("p",)).hash,
    }

    assert len(hashes) == 4
    assert planned().hash == planned().hash


def test_a_project_without_secrets_and_one_with_too_many_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="has no secrets in nowhere"):
        leaks.plan_of(
            LeakRequest(organization="acme", project="shop", environment="nowhere"),
            LeakFacts(paths=("shop/production/db",)),
        )
    with pytest.raises(InvalidRequest, match="name an environment"):
        planned("", *(f"shop/production/{number}" for number in range(501)))
