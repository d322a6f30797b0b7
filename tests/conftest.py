"""Fixtures all tiers share: a Temporal server of our own, and the shared stack."""

from __future__ import annotations

import gc
import os
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis  # noqa: F401 - imported late, deep in a stack, its rewriting fails (CPython 3.11)
import pytest
from temporalio.client import Client
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import _Definition

from devstack.programs import Silent, ensure
from runtime import plugin
from tests import servers

gc.disable()


def pytest_collection_finish() -> None:
    """What was imported and collected stays: nobody looks for garbage in it, now or later."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)  # after the random order
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begins with what takes longest: at the end one process would wait for the other.

    Where ``make test`` says so, only a share of the tests marked ``sampled`` runs, by the seed.
    """
    items.sort(key=lambda item: "e2e" not in item.path.parts)
    share = float(os.environ.get("PAVANE_SAMPLE", "1"))
    seed = config.getoption("randomly_seed")
    left = [one for one in items if one.get_closest_marker("sampled")
            and random.Random(f"{seed} {one.nodeid}").random() >= share]  # fmt: skip
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [one for one in items if one not in left]


@pytest.fixture(scope="session", autouse=True)
def each_workflow_is_prepared_once() -> Iterator[None]:
    """A worker imports all its workflows into a sandbox when it is made, to see that they go in.

    Nothing is kept of it, and hundreds of tests make workers: a third of their CPU time.
    """
    prepare = SandboxedWorkflowRunner.prepare_workflow
    prepared: set[type] = set()

    def once(runner: SandboxedWorkflowRunner, definition: _Definition) -> None:
        if definition.cls not in prepared:
            prepare(runner, definition)
            prepared.add(definition.cls)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SandboxedWorkflowRunner, "prepare_workflow", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def what_tests_are_made_of_is_imported_once() -> Iterator[None]:
    """Workflows that tests define are imported with their module for each run: pytest with it."""
    with pytest.MonkeyPatch.context() as patch:
        known = (*plugin.PASSED_THROUGH, "_pytest", "pytest", "hypothesis", "tests")
        patch.setattr(plugin, "PASSED_THROUGH", known)
        yield


@pytest.fixture(scope="session")
def temporal_program() -> Path:
    return ensure(["temporal"], progress=Silent())["temporal"].path


@pytest.fixture(scope="session")
async def temporal_server(temporal_program: Path) -> AsyncIterator[Client]:
    """A real server in memory, with virtual time per workflow."""
    async with servers.temporal_server(temporal_program) as client:
        yield client


@pytest.fixture(scope="module")
async def own_temporal(temporal_program: Path) -> AsyncIterator[Client]:
    """A server of the module's own: its workers serve all queues for as long as it lasts."""
    async with servers.temporal_server(temporal_program) as client:
        yield client


@pytest.fixture
def temporal(temporal_server: Client) -> Client:
    return temporal_server


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
