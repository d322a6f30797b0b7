"""The worker of a plane asks what measures as the ObservabilityPlane says, and as nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from temporalio.testing import ActivityEnvironment

from activities.common.askers import Askers
from activities.health.looking import HealthActivities
from activities.health.planning import SweepActivities
from activities.planes.observability import ObservabilityActivities, ObserverActivities
from clients.kubernetes import SharedWatches
from clients.web import Loki, Prometheus, Web
from domain.deliveries.observing import AskedAs, Observer, Observers
from domain.deliveries.planes import ObservabilityRequest, ObservabilitySeen
from domain.deliveries.sweeps import Observation, PlaneSweep, SweepRequest
from tests.integration.drift.places import Place
from tests.integration.looks.loki import LogStoreOfATest
from tests.integration.vaults import askers, keep

pytestmark = pytest.mark.integration
PATH = "_observability/metrics"
WANTS = {"Authorization": "Bearer canary-8c02", "X-Scope-OrgID": "acme"}


@pytest.fixture
async def measures() -> AsyncIterator[LogStoreOfATest]:
    store = await LogStoreOfATest.start()
    store.wants = WANTS
    yield store
    await store.close()


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    web = Web()
    yield web
    await web.close()


@pytest.fixture
async def declared(place: Place, measures: LogStoreOfATest, stack: dict[str, str]) -> Place:
    """A place whose plane names what measures, and a health check that asks it."""
    both = {"prometheusUrl": measures.url, "logsUrl": measures.url}
    known = {"credentials": {"vaultPath": PATH}, "tenant": "acme"}
    await place.apply("ObservabilityPlane", "metrics", both | known)
    await place.apply("DataPlane", "local", {"observabilityPlaneRef": "metrics"})
    metrics = [{"name": "errors", "query": "errors > 1"}]
    await place.policy(health={"everySeconds": 86400, "metrics": metrics})
    await keep(stack, place.name, PATH, token="canary-8c02")
    return place


async def measured(place: Place, known: Askers, web: Web) -> Observation:
    """What a look at the place says of its metric, from the plan to the answer."""
    request = SweepRequest(organization=place.name, environment="dev")
    plan = await ActivityEnvironment().run(SweepActivities(place.cluster).plan_sweep, request)
    watches = SharedWatches(place.cluster)
    look = HealthActivities(watches, None, Prometheus(web), known).look_at_plane
    sweep = PlaneSweep(organization=place.name, environment="dev", metrics=plan.metrics)
    try:
        seen = await ActivityEnvironment().run(look, sweep)
    finally:
        await watches.close()
    (found,) = seen.observations
    return found


async def test_health_is_asked_with_what_the_plane_names_and_without_it_is_unwell(
    declared: Place, stack: dict[str, str], web: Web
) -> None:
    known = await measured(declared, askers(stack), web)
    unknown = await measured(declared, Askers(), web)

    assert (known.healthy, known.reason) == (True, "Quiet")
    assert (unknown.healthy, unknown.reason) == (False, "NoAnswer")
    assert "PAVANE_VAULT__PLANE__SECRET_ID_FILE" in unknown.message


async def test_whether_it_answers_is_asked_by_the_worker_that_uses_it(
    declared: Place, measures: LogStoreOfATest, stack: dict[str, str], web: Web
) -> None:
    request = ObservabilityRequest(
        organization=declared.name,
        plane="metrics",
        prometheus_url=measures.url,
        logs_url=measures.url,
        asked_as=AskedAs(credentials=PATH, tenant="acme"),
    )
    find = ObserverActivities(declared.cluster).find_observers
    observers = await ActivityEnvironment().run(find, request)
    ask = ObservabilityActivities(Prometheus(web), Loki(web), askers(stack)).ask_observability
    answers = await ActivityEnvironment().run(ask, request)
    other = request.model_copy(update={"asked_as": AskedAs(credentials="_planes/local")})
    foreign = await ActivityEnvironment().run(ask, other)
    measures.wants = WANTS | {"X-Scope-OrgID": "beta"}
    refused = await ActivityEnvironment().run(ask, request)

    assert observers == Observers(planes=(Observer(plane="local", task_queue="plane.local"),))
    assert answers == ObservabilitySeen(connected=True)
    assert (foreign.connected, foreign.message) == (
        False,
        "_planes/local is no secret of an ObservabilityPlane",
    )
    assert not refused.connected
    assert refused.message.count("answered 401") == 2
    assert "canary" not in refused.message
