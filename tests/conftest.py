"""Fixtures all tiers share: a Temporal server of our own, and the shared stack."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import hypothesis  # noqa: F401 - imported late, deep in a stack, its rewriting fails (CPython 3.11)
import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.testing import WorkflowEnvironment

from devstack.core.temporal import PROMPT
from devstack.programs import Silent, ensure
from runtime import search_attributes
from runtime.plugin import PavanePlugin

ATTRIBUTES: list[SearchAttributeKey[Any]] = [
    *search_attributes.KEYWORDS,
    search_attributes.APPROVERS,
    search_attributes.AWAITING,
    search_attributes.DEADLINE,
]


@pytest.fixture(scope="session")
def temporal_program() -> Path:
    return ensure(["temporal"], progress=Silent())["temporal"].path


@pytest.fixture(scope="session")
async def temporal_server(temporal_program: Path) -> AsyncIterator[WorkflowEnvironment]:
    """A real server in memory, with virtual time per workflow."""
    async with await _local_server(temporal_program) as environment:
        yield environment


@pytest.fixture(scope="module")
async def own_temporal(temporal_program: Path) -> AsyncIterator[Client]:
    """A server of the module's own: its workers serve all queues for as long as it lasts."""
    async with await _local_server(temporal_program) as environment:
        yield environment.client


async def _local_server(program: Path) -> WorkflowEnvironment:
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(program),
        search_attributes=ATTRIBUTES,
        plugins=[PavanePlugin()],
        dev_server_log_level="error",
        dev_server_extra_args=[*PROMPT],
    )


@pytest.fixture
def temporal(temporal_server: WorkflowEnvironment) -> Client:
    return temporal_server.client


@pytest.fixture(scope="session")
def stack() -> dict[str, str]:
    """How the shared stack is reached: what ``pavane stack env`` printed for this run."""
    if "KUBECONFIG" not in os.environ or "TEMPORAL_ADDRESS" not in os.environ:
        pytest.fail(
            "this test needs a stack: run `make test`, or "
            'eval "$(pavane stack env)" after `pavane stack up`',
            pytrace=False,
        )
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("PAVANE_", "TEMPORAL_", "KUBECONFIG", "VAULT_"))
    }


@pytest.fixture(scope="session")
def stack_name() -> str:
    """Name of the shared stack."""
    return os.environ.get("PAVANE_STACK", "test")
