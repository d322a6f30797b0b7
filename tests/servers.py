"""Temporal servers that tests start for themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.testing import WorkflowEnvironment

from devstack.core.temporal import FAIR, PROMPT, flags
from runtime import search_attributes
from runtime.plugin import PavanePlugin

_ATTRIBUTES: list[SearchAttributeKey[Any]] = [
    *search_attributes.KEYWORDS,
    search_attributes.APPROVERS,
    search_attributes.AWAITING,
    search_attributes.DEADLINE,
]
_STARTED = timedelta(seconds=90)
"""The SDK's five seconds are over on a busy machine before the server listens, and then every test
that shares it breaks."""


@asynccontextmanager
async def temporal_server(
    program: Path,
    *,
    skips_time: bool = False,
    longest_history: int = 0,
    partitions: int = 0,
    fair: bool = False,
) -> AsyncIterator[Client]:
    """Runs a server in memory, with virtual time per workflow, for the time of a block.

    Args:
        program: The development server of Temporal's command line.
        skips_time: It skips the time in which a workflow waits for nothing but time.
        longest_history: After so many events it suggests to workflows to begin anew.
        partitions: So many parts of a task queue, each with an order of its own; 0 = as usual.
        fair: Tasks of equal priority are taken in turns of their fairness keys.
    """
    settings = flags({**PROMPT, **(FAIR if fair else {})})
    for side in ("Read", "Write") if partitions else ():
        limit = f"matching.numTaskqueue{side}Partitions={partitions}"
        settings.append(f"--dynamic-config-value={limit}")
    start = WorkflowEnvironment.start_local
    if skips_time:
        settings.append("--dynamic-config-value=frontend.WorkflowTimeSkippingEnabled=true")
        start = WorkflowEnvironment.start_time_skipping_v2
    if longest_history:
        limit = f"limit.historyCount.suggestContinueAsNew={longest_history}"
        settings.append(f"--dynamic-config-value={limit}")
    async with await start(
        dev_server_existing_path=str(program),
        search_attributes=_ATTRIBUTES,
        plugins=[PavanePlugin()],
        dev_server_log_level="error",
        dev_server_extra_args=settings,
        dev_server_startup_timeout=_STARTED,
    ) as environment:
        yield environment.client
