"""Measures the API with a person's token: list, detail and the start of an operation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import httpx

from benchmarks import tenant
from benchmarks.changes import ONE
from benchmarks.samples import Figure, Measurement, Samples
from benchmarks.sightings import ready_generation, sightings
from benchmarks.stacks import Bench
from cli.issuers import OpenBao
from devstack.core.people import TOKEN_ROLE, passwords
from devstack.state import state_dir
from domain import ids

_AT_ONCE = 8
_PERSON = "ada"
Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


async def api_requests(bench: Bench, number: int, when: str = "") -> list[Measurement]:
    """Sends each kind of request ``number`` times, eight at once; ``when`` is told of it.

    Raises:
        httpx.HTTPError: The API did not answer, or not with success.
        NotMeasured: The component that is asked about does not become ready.
    """
    await _ensure_component(bench)
    operation = ids.deploy_id(tenant.ORGANIZATION, ONE, tenant.ENVIRONMENT)
    order = {
        "organization": tenant.ORGANIZATION,
        "component": ONE,
        "environment": tenant.ENVIRONMENT,
    }
    kinds: dict[str, Ask] = {
        "API list of 50 operations": lambda http: http.get(
            "/v1/operations", params={"organization": tenant.ORGANIZATION}
        ),
        "API detail of an operation": lambda http: http.get(f"/v1/operations/{operation}"),
        "API start of a deployment": lambda http: http.post("/v1/deployments", json=order),
    }
    headers = {"Authorization": f"Bearer {await asyncio.to_thread(_token, bench)}"}
    url = bench.record.environment["PAVANE_API__URL"]
    found: list[Measurement] = []
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as http:
        for name, ask in kinds.items():
            found += await _measure(http, f"{name}{when}", ask, number)
    return found


async def _ensure_component(bench: Bench) -> None:
    async with sightings(bench.bindings, ready_generation) as bindings:
        await tenant.create(bench.cluster, [ONE])
        binding = tenant.binding_of(ONE)
        kind = tenant.kind("ServiceBinding")
        found = await bench.cluster.get(kind, binding, tenant.ORGANIZATION)
        mark = (binding, int(found["metadata"]["generation"]))
        await bindings.all_of([mark], "first deployments", 120)


def _token(bench: Bench) -> str:
    """Logs in as a person of the local stack does."""
    login = httpx.get(f"{bench.record.environment['PAVANE_API__URL']}/v1/login", timeout=30)
    discovery = login.raise_for_status().json()["discoveryUrl"]
    password = passwords(state_dir(bench.record.name))[_PERSON]
    return OpenBao(discovery).login(_PERSON, password, TOKEN_ROLE).value


async def _measure(http: httpx.AsyncClient, name: str, ask: Ask, number: int) -> list[Measurement]:
    seconds: list[float] = []
    left = iter(range(number))

    async def hand() -> None:
        for _ in left:
            start = time.perf_counter()
            (await ask(http)).raise_for_status()
            seconds.append(time.perf_counter() - start)

    (await ask(http)).raise_for_status()  # opens the first connection, uncounted
    start = time.perf_counter()
    await asyncio.gather(*(hand() for _ in range(_AT_ONCE)))
    rate = number / (time.perf_counter() - start)
    return [Samples(name, tuple(seconds)), Figure(f"{name}: rate", rate, "/s")]
