"""Bringing a revision to one binding: asked for once, let pass where only what passed comes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from temporalio.testing import ActivityEnvironment

from activities.configurations.notes import noted
from activities.configurations.releases import ConfigurationActivities
from domain.deliveries import (
    ConfigurationConsumer,
    ConfigurationNote,
    ConfigurationPin,
    ConfigureBinding,
    Deployment,
    DeployRequest,
)
from domain.deliveries.standings import Pass, Standing, StandingChange
from domain.phases import Phase
from domain.policies.promotion.standing import changed, passed
from domain.rendering.facts import GatewayDefaults
from domain.resources.configuration import ConfigurationGroup

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HASH = "h" * 64


class Outside:
    """The queue of a place, and what is remembered of it."""

    def __init__(self, ends: Phase) -> None:
        self.ends = ends
        self.asked: list[DeployRequest] = []
        self.had_passed = False
        """What the place remembered when the deployment was asked for."""
        self.standing = Standing(organization="acme", component="web", environment="prod")

    async def is_busy(self, organization: str, component: str, environment: str) -> bool:
        return False

    async def idle(self, organization: str, component: str, environment: str) -> None:
        raise NotImplementedError

    async def ask(self, request: DeployRequest) -> None:
        self.had_passed = passed(self.standing, HASH) is not None
        self.asked.append(request)

    async def outcome(self, request: DeployRequest) -> Deployment | None:
        if request not in self.asked:
            return None
        return Deployment(
            organization="acme",
            component="web",
            environment="prod",
            request_id=request.request_id,
            phase=self.ends,
        )

    async def read(self, organization: str, component: str, environment: str) -> Standing:
        return self.standing

    async def change(self, change: StandingChange) -> Standing:
        self.standing = changed(self.standing, change)
        return self.standing


def request(*, gated: bool = True) -> ConfigureBinding:
    return ConfigureBinding(
        organization="acme",
        group="db",
        revision="db-2",
        consumer=ConfigurationConsumer(
            binding_kind="ServiceBinding",
            binding="web-prod",
            component="web",
            project="shop",
            environment="prod",
            hash=HASH,
            release="web-prod-2",
            gated=gated,
        ),
        request_id="config-1-web-prod",
        promotion="configuration/acme/db/release",
        run_id="run",
    )


async def configured(outside: Outside, asked: ConfigureBinding) -> Phase:
    activities = ConfigurationActivities(
        None,  # type: ignore[arg-type]  # not used, as the two below
        outside,
        outside,
        None,  # type: ignore[arg-type]
        groups=None,  # type: ignore[arg-type]
        gateway=GatewayDefaults(),
    )
    return (await ActivityEnvironment().run(activities.configure_binding, asked)).phase


async def test_what_an_earlier_try_asked_for_is_not_asked_for_again() -> None:
    outside = Outside(Phase.SUCCEEDED)
    for _ in range(2):
        assert await configured(outside, request()) is Phase.SUCCEEDED
    (order,) = outside.asked
    assert order.configuration == (ConfigurationPin(group="db", revision="db-2"),)


async def test_it_passes_before_it_is_asked_for_and_may_be_rolled_back_to_when_it_did_well() -> (
    None
):
    outside = Outside(Phase.SUCCEEDED)
    await configured(outside, request())
    assert outside.had_passed
    known = passed(outside.standing, HASH)
    assert known is not None
    assert known.verified is not None


async def test_the_pass_of_what_failed_is_taken_back() -> None:
    outside = Outside(Phase.FAILED)
    assert await configured(outside, request()) is Phase.FAILED
    assert outside.had_passed
    assert passed(outside.standing, HASH) is None


async def test_a_pass_that_was_there_before_stays_whatever_becomes_of_the_release() -> None:
    outside = Outside(Phase.FAILED)
    promoted = Pass(release="web-prod-2", hash=HASH, artifact="a", promotion="promotion/x", at=NOW)
    outside.standing = outside.standing.model_copy(update={"passes": (promoted,)})
    await configured(outside, request())
    assert passed(outside.standing, HASH) == promoted


async def test_an_open_place_needs_no_pass() -> None:
    outside = Outside(Phase.SUCCEEDED)
    await configured(outside, request(gated=False))
    assert outside.standing.passes == ()


def group(**status: object) -> ConfigurationGroup:
    content = {"metadata": {"name": "db", "namespace": "acme"}, "status": status}
    return ConfigurationGroup.model_validate(content)


def note(run: str, revision: str, phase: Phase) -> ConfigurationNote:
    return ConfigurationNote(
        organization="acme", group="db", revision=revision, phase=phase, run_id=run
    )


def test_a_release_is_one_entry_of_the_history_however_often_it_is_told() -> None:
    found = group()
    steps = [("r1", "db-1", Phase.RUNNING), ("r1", "db-1", Phase.SUCCEEDED)]
    for run, revision, phase in (*steps, *steps[1:], ("r2", "db-2", Phase.FAILED)):
        found = found.model_copy(update={"status": noted(found, note(run, revision, phase), NOW)})
    assert [(one.number, one.revision, one.phase) for one in found.status.history] == [
        (1, "db-1", Phase.SUCCEEDED),
        (2, "db-2", Phase.FAILED),
    ]
    released = found.status.condition("Released")
    assert released is not None
    assert (released.is_true, released.reason) == (False, "Failed")


def test_a_long_history_forgets_its_beginning_and_never_a_number() -> None:
    found = group()
    for number in range(30):
        told = note(f"r{number}", f"db-{number}", Phase.SUCCEEDED)
        found = found.model_copy(update={"status": noted(found, told, NOW)})
    assert [one.number for one in found.status.history] == list(range(11, 31))
