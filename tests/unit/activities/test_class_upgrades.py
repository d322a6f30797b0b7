"""Asking for the upgrade of one binding again asks for nothing twice."""

from __future__ import annotations

import pytest
from temporalio.testing import ActivityEnvironment

from activities.classes.upgrades import ClassActivities
from domain.deliveries import ClassConsumer, Deployment, DeployRequest, UpgradeBinding
from domain.phases import Phase

pytestmark = pytest.mark.unit

REQUEST = UpgradeBinding(
    organization="acme",
    consumer=ClassConsumer(
        binding_kind="APIBinding", binding="web-dev", component="web", environment="dev"
    ),
    revision="new",
    request_id="class-1-web-dev",
)


class Queues:
    """A queue that forgets nothing of its last run."""

    def __init__(self) -> None:
        self.asked: list[DeployRequest] = []
        self.busy = False

    async def is_busy(self, organization: str, component: str, environment: str) -> bool:
        return self.busy

    async def idle(self, organization: str, component: str, environment: str) -> None:
        raise NotImplementedError

    async def ask(self, request: DeployRequest) -> None:
        self.busy = False
        if request not in self.asked:
            self.asked.append(request)

    async def outcome(self, request: DeployRequest) -> Deployment | None:
        if request not in self.asked:
            return None
        return Deployment(
            organization="acme",
            component="web",
            environment="dev",
            request_id=request.request_id,
            phase=Phase.SUCCEEDED,
        )


async def test_what_an_earlier_try_asked_for_is_not_asked_for_again() -> None:
    queues = Queues()
    activities = ClassActivities(None, queues, None)  # type: ignore[arg-type]  # not used
    first = await ActivityEnvironment().run(activities.upgrade_binding, REQUEST)
    second = await ActivityEnvironment().run(activities.upgrade_binding, REQUEST)
    assert first == second
    assert len(queues.asked) == 1
    assert (queues.asked[0].class_revision, queues.asked[0].binding_kind) == ("new", "APIBinding")


async def test_a_queue_that_runs_is_asked_as_it_knows_its_requests() -> None:
    queues = Queues()
    queues.busy = True
    activities = ClassActivities(None, queues, None)  # type: ignore[arg-type]
    done = await ActivityEnvironment().run(activities.upgrade_binding, REQUEST)
    assert done.phase is Phase.SUCCEEDED
    assert len(queues.asked) == 1
