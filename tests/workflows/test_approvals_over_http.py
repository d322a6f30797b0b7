from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from temporalio.client import Client

from api.app import create_app
from api.services import Services
from clients.identity import Person
from clients.kubernetes import Cluster
from devstack.pki import Pki
from domain.deliveries.approvals import ApprovalRule
from domain.errors import Unauthenticated
from settings import ApprovalSettings, Settings
from tests.workflows.approving import Approvals

pytestmark = pytest.mark.workflows

PEOPLE = {
    name: Person(f"id-{name}", name.title(), f"{name}@acme.example", groups)
    for name, groups in {
        "ann": ("leads",),
        "bob": ("leads",),
        "rob": ("leads",),
        "cat": ("security",),
        "dan": (),
        "eve": ("outsiders",),
    }.items()
}


class KnownPeople:
    """A verifier whose tokens are names; the real one has tests of its own."""

    async def verify(self, token: str) -> Person:
        if token not in PEOPLE:
            raise Unauthenticated("the token is not valid")
        return PEOPLE[token]


@pytest.fixture
async def approvals(temporal: Client, tmp_path: Path) -> AsyncIterator[Approvals]:
    approvals = Approvals(temporal, tmp_path)
    approvals.organizations.access.append({"user": "rob@acme.example", "role": "developer"})
    async with approvals.worker():
        yield approvals


@pytest.fixture
async def http(approvals: Approvals, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    keys = ApprovalSettings(signing_key=Pki(tmp_path).signing_key("approvals").private)
    services = Services(
        Settings(approvals=keys),
        verifier=KnownPeople(),
        client=approvals.client,
        control_plane=cast("Cluster", approvals.organizations),
    )
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as made:
        yield made


class Caller:
    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {name}"}

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self._http.get(path, params=params, headers=self._headers)

    async def post(self, path: str, body: dict[str, Any], key: str = "") -> httpx.Response:
        headers = {**self._headers, **({"Idempotency-Key": key} if key else {})}
        return await self._http.post(path, json=body, headers=headers)

    async def decide(
        self, subject: str, decision: str = "approve", key: str = "", **changes: Any
    ) -> httpx.Response:
        seen = (await self.get(f"/v1/approvals/{subject}")).json()
        body = {
            "decision": decision,
            "reason": "seen",
            "hash": seen["hash"],
            "round": seen["round"],
            **changes,
        }
        return await self.post(f"/v1/approvals/{subject}/decision", body, key)

    async def inbox(self, **params: Any) -> list[str]:
        answer = await self.get("/v1/approvals", organization="acme", mine=True, **params)
        assert answer.status_code == 200
        return [item["subject"] for item in answer.json()["items"]]


async def test_an_approval_is_found_in_the_inbox_decided_and_gone_from_it(
    approvals: Approvals, http: httpx.AsyncClient
) -> None:
    approval = await approvals.ask(rule=ApprovalRule(groups=("leads",)))
    subject = approval.request.subject
    ann, bob, rob, cat = (Caller(http, name) for name in ("ann", "bob", "rob", "cat"))
    async with asyncio.timeout(30):
        while subject not in await ann.inbox():  # noqa: ASYNC110 - visibility has no event
            await asyncio.sleep(0.1)
    assert subject not in await cat.inbox()
    assert subject not in await rob.inbox()

    refused = await cat.decide(subject)
    assert refused.status_code == 403
    assert "none of the groups" in refused.json()["detail"]
    own = await rob.decide(subject)
    assert own.status_code == 403
    assert "Ask somebody else who may decide" in own.json()["advice"]
    assert "advice" not in own.json().get("facts", {})
    assert "asked for it" in own.json()["detail"]
    assert (await rob.get(f"/v1/approvals/{subject}")).json()["barred"]

    first = await ann.decide(subject, key="click")
    again = await ann.decide(subject, key="click", hash=approval.request.hash)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["outcome"] == "approved"
    late = await bob.decide(subject)
    assert late.status_code == 409
    assert "is over: approved by ann@acme.example" in late.json()["detail"]
    async with asyncio.timeout(30):
        while subject in await ann.inbox():  # noqa: ASYNC110 - visibility has no event
            await asyncio.sleep(0.1)


async def test_an_inbox_of_all_organizations_shows_what_each_lets_the_person_decide(
    approvals: Approvals, http: httpx.AsyncClient
) -> None:
    both, bobs = (f"org{uuid.uuid4().hex[:10]}" for _ in range(2))
    rule = {"user": "bob@acme.example", "role": "developer"}
    approvals.organizations.others = {both: approvals.organizations.access, bobs: [rule]}
    subjects = {}
    for name in ("acme", both, bobs):
        asked = await approvals.ask(organization=name, rule=ApprovalRule(groups=("leads",)))
        subjects[name] = asked.request.subject

    async def inbox(person: str) -> set[tuple[str, str]]:
        answer = await Caller(http, person).get("/v1/approvals?mine&limit=200")
        assert answer.status_code == 200
        items = [(one["organization"], one["subject"]) for one in answer.json()["items"]]
        return set(items) & set(subjects.items())

    async with asyncio.timeout(60):
        while await inbox("bob") != set(subjects.items()):  # noqa: ASYNC110 - visibility has no event
            await asyncio.sleep(0.1)
    assert await inbox("ann") == {(name, subjects[name]) for name in ("acme", both)}
    assert await inbox("eve") == set()


async def test_what_changed_since_it_was_looked_at_is_not_decided(
    approvals: Approvals, http: httpx.AsyncClient
) -> None:
    approval = await approvals.ask()
    answer = await Caller(http, "ann").decide(approval.request.subject, hash="0" * 64)
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("StaleRevision")
    assert answer.json()["facts"]["hash"] == approval.request.hash


async def test_outsiders_learn_nothing(approvals: Approvals, http: httpx.AsyncClient) -> None:
    approval = await approvals.ask()
    eve = Caller(http, "eve")
    for path in (approval.request.subject, "promotion/acme/web/nothing", "Bad Name/x"):
        assert (await eve.get(f"/v1/approvals/{path}")).status_code == 404
    assert (await eve.get("/v1/approvals", organization="acme")).status_code == 404


async def test_comments_and_delegations_are_shown(
    approvals: Approvals, http: httpx.AsyncClient
) -> None:
    approval = await approvals.ask(rule=ApprovalRule(groups=("leads",)))
    subject = approval.request.subject
    ann, dan = Caller(http, "ann"), Caller(http, "dan")
    said = await dan.post(f"/v1/approvals/{subject}/comments", {"text": "which index?"})
    assert said.json()["comments"][0]["text"] == "which index?"
    lent = await ann.post(f"/v1/approvals/{subject}/delegation", {"to": "dan@acme.example"})
    assert lent.json()["delegations"][0]["text"] == "to dan@acme.example"
    async with asyncio.timeout(30):
        while subject not in await dan.inbox():  # noqa: ASYNC110 - visibility has no event
            await asyncio.sleep(0.1)
    done = await dan.decide(subject)
    assert done.json()["votes"][0]["onBehalfOf"] == "ann@acme.example"
    assert (await approval.handle.result()).approved


async def test_signed_decision_counts_through_temporals_own_cli(
    approvals: Approvals, http: httpx.AsyncClient, temporal_program: Path
) -> None:
    approval = await approvals.ask()
    subject = approval.request.subject
    body = {"decision": "approve", "reason": "it's fine", "hash": approval.request.hash}
    made = (await Caller(http, "ann").post(f"/v1/approvals/{subject}/signature", body)).json()
    assert (await approval.standing()).outcome is None
    address = approvals.client.service_client.config.target_host
    command = made["command"].replace("temporal", str(temporal_program), 1)
    ran = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-c", f"{command} --address {address}"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr + sys.platform
    result = await approval.handle.result()
    assert result.votes[0].reason == "it's fine"
