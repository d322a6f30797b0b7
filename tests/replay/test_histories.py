from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from runtime.plugin import PavanePlugin
from workflows.registry import WORKFLOWS

pytestmark = pytest.mark.replay

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*/*.json"))
REAL = {definition.__name__ for definition in WORKFLOWS}


def stored(file: Path, old: str = "", new: str = "") -> WorkflowHistory:
    return WorkflowHistory.from_json(file.stem, file.read_text().replace(old, new))


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: f"{file.parent.name}/{file.stem}")
async def test_a_stored_history_replays_against_the_present_code(file: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, plugins=[PavanePlugin()])

    result = await replayer.replay_workflow(stored(file), raise_on_replay_failure=False)

    assert result.replay_failure is None


def test_each_procedure_has_a_stored_history() -> None:
    assert {file.parent.name for file in HISTORIES} == REAL


async def test_a_history_of_other_steps_is_refused() -> None:
    """The replay itself can fail: a history whose first activity has another name does."""
    file = next(file for file in HISTORIES if file.parent.name == "DeployWorkflow")
    replayer = Replayer(workflows=WORKFLOWS, plugins=[PavanePlugin()])

    result = await replayer.replay_workflow(
        stored(file, "prepare_release", "forgotten_step"), raise_on_replay_failure=False
    )

    assert result.replay_failure is not None
