"""OpenBao, which proves who people are, is sealed or restarted."""

from __future__ import annotations

import asyncio

import pytest

from cli.errors import ExitCode
from devstack import faults
from devstack.core.people import passwords
from devstack.state import StateDir
from tests.faults.breaking import fault
from tests.faults.organization import Organization
from tests.faults.people import Terminal
from tests.faults.promises import promise

pytestmark = pytest.mark.faults


async def login(state: StateDir, terminal: Terminal) -> tuple[int, str]:
    password = passwords(state)["dev"]
    return await terminal.runs("login", "--username", "dev", "--password-stdin", stdin=password)


@promise(
    "OpenBao sealed",
    "openbao-sealed",
    sees="`pavane login` says that the identity provider does not let in, exit code 5",
    ends="whoever is signed in goes on working meanwhile; signing in works again afterwards",
    cheap=True,
)
async def test_who_is_signed_in_goes_on_while_openbao_is_sealed(
    broken: StateDir, org: Organization, terminal: Terminal
) -> None:
    async with fault(broken, "openbao-sealed"):
        code, output = await login(broken, terminal)
        done = await org.deployed()
    again, _ = await login(broken, terminal)

    assert code == ExitCode.UNAVAILABLE, output
    assert "the identity provider" in output
    assert done["phase"] == "Succeeded"
    assert again == ExitCode.DONE


@promise(
    "OpenBao restarted",
    "openbao-killed",
    sees="`pavane login` works, or says that the identity provider is away, exit code 5",
    ends="tokens from before are still good, signing in works again",
)
async def test_tokens_outlive_a_restart_of_openbao(
    broken: StateDir, org: Organization, terminal: Terminal
) -> None:
    await faults.begin(broken, "openbao-killed")
    answer = await org.person.client.get("/v1/whoami")
    code, output = await login(broken, terminal)
    async with asyncio.timeout(60):
        while code == ExitCode.UNAVAILABLE:
            assert "the identity provider" in output
            code, output = await login(broken, terminal)

    assert answer.is_success, answer.text
    assert code == ExitCode.DONE, output
