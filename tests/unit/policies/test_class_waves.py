from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries import ClassConsumer
from domain.policies.class_waves import consumers_of, waves
from domain.resources.binding import ServiceBinding
from domain.resources.class_parts import UpgradePolicy
from domain.resources.classes import ServiceClass
from domain.resources.revisions import as_in, revision_of
from tests.unit.rendering.samples import resource

pytestmark = pytest.mark.unit


def bound(environment: str, *, revision: str = "old", **spec: Any) -> ServiceBinding:
    return ServiceBinding.model_validate(
        {
            "metadata": {"name": f"web-{environment}", "namespace": "acme"},
            "spec": {
                "componentRef": "web",
                "environmentRef": environment,
                "serviceClassRef": "fast",
                **spec,
            },
            "status": {"releaseRef": "r", "classRevisionRef": revision},
        }
    )


FAST = resource(ServiceClass, "fast", {"labels": {"a": "b"}})


def needs(*bindings: ServiceBinding) -> list[bool]:
    return [one.needs for one in consumers_of(FAST, bindings, ())]


def test_only_what_runs_with_another_revision_and_is_not_held_needs_an_upgrade() -> None:
    assert needs(bound("dev")) == [True]
    assert needs(bound("dev", revision=FAST.revision)) == [False]
    assert needs(bound("dev", classRevisionRef="old")) == [False]
    assert needs(bound("dev", state="Undeploy")) == [False]
    idle = bound("dev").model_copy(update={"status": ServiceBinding.model_fields["status"].default})
    assert needs(idle) == [False]


def test_bindings_of_another_class_do_not_follow_it() -> None:
    assert consumers_of(FAST, [bound("dev", serviceClassRef="slow")], ()) == ()


def test_a_class_is_the_same_again_in_its_revision() -> None:
    other = resource(ServiceClass, "fast", {"labels": {"c": "d"}})
    assert as_in(other, revision_of(FAST)).spec == FAST.spec
    assert as_in(other, revision_of(FAST)).revision == FAST.revision


environments = st.sampled_from(["dev", "qa", "staging", "prod", "prod-eu"])


@given(
    places=st.lists(environments, max_size=12),
    order=st.lists(environments, unique=True, max_size=4),
)
def test_everyone_that_needs_it_is_in_exactly_one_wave_and_in_order(
    places: list[str], order: list[str]
) -> None:
    consumers = [
        ClassConsumer(
            binding_kind="ServiceBinding",
            binding=f"{number}",
            component=f"c{number}",
            environment=place,
            is_production=place.startswith("prod"),
            needs=number % 3 != 0,
        )
        for number, place in enumerate(places)
    ]
    made = waves(consumers, UpgradePolicy(waves=tuple(order)))
    assert sorted(one.binding for wave in made for one in wave) == sorted(
        one.binding for one in consumers if one.needs
    )
    assert all(made)
    if not order and len(made) > 1:
        assert not any(one.is_production for one in made[0])
        assert all(one.is_production for one in made[1])
    named = [wave[0].environment for wave in made if wave[0].environment in order]
    assert named == [name for name in order if name in named]
