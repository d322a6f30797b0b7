"""OpenBao, which proves who people are, is sealed or restarted."""

from __future__ import annotations

import asyncio
import os

import pytest

from cli.errors import ExitCode, Problem
from cli.issuers import OpenBao, Token
from devstack import faults
from devstack.core.people import passwords
from devstack.state import StateDir
from tests.faults.promises import promise
from tests.faults.world import Organization, fault

pytestmark = pytest.mark.faults


async def login(state: StateDir) -> Token:
    issuer = OpenBao(os.environ["PAVANE_OIDC__DISCOVERY_URL"])
    return await asyncio.to_thread(issuer.login, "dev", passwords(state)["dev"], "pavane")


@promise(
    "OpenBao sealed",
    "openbao-sealed",
    sees="`pavane login` says that the identity provider does not let in, exit code 5",
    ends="whoever is signed in goes on working meanwhile; signing in works again afterwards",
    cheap=True,
)
async def test_who_is_signed_in_goes_on_while_openbao_is_sealed(
    broken: StateDir, org: Organization
) -> None:
    async with fault(broken, "openbao-sealed"):
        with pytest.raises(Problem) as refused:
            await login(broken)
        done = await org.deployed()
    token = await login(broken)

    assert refused.value.code is ExitCode.UNAVAILABLE
    assert done["phase"] == "Succeeded"
    assert token.value


@promise(
    "OpenBao restarted",
    "openbao-killed",
    sees="`pavane login` says that the identity provider does not answer, exit code 5",
    retried="the stack unseals it after the start",
    ends="tokens from before are still good, signing in works again",
)
async def test_tokens_outlive_a_restart_of_openbao(broken: StateDir, org: Organization) -> None:
    await faults.begin(broken, "openbao-killed")
    answer = await org.person.client.get("/v1/whoami")
    refusals: set[ExitCode] = set()
    token: Token | None = None
    async with asyncio.timeout(60):
        while token is None:
            try:
                token = await login(broken)
            except Problem as problem:
                refusals.add(problem.code)
                await asyncio.sleep(0.2)

    assert answer.is_success, answer.text
    assert refusals <= {ExitCode.UNAVAILABLE}
