"""Stores histories of real runs for the replay tests: one file a procedure and scenario.

    python -m scripts.record_histories "PavaneKind = 'deploy'" succeeded

takes the newest closed workflow that matches the visibility query, from the Temporal server that
``TEMPORAL_ADDRESS`` names, and writes tests/replay/histories/<Workflow>/<scenario>.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from runtime.client import connect

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "replay" / "histories"


async def record(query: str, scenario: str) -> Path | None:
    """Writes one history; returns its file, None when nothing matches."""
    client = await connect()
    closed = f"({query}) AND ExecutionStatus != 'Running'"
    async for found in client.list_workflows(closed, limit=1):
        handle = client.get_workflow_handle(found.id, run_id=found.run_id)
        history = await handle.fetch_history()
        file = FOLDER / found.workflow_type / f"{scenario}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        content = scrubbed(json.loads(history.to_json()))
        file.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
        return file
    return None


def scrubbed(value: Any) -> Any:
    """Returns a history without what says on which machine it was made; replay needs none."""
    if isinstance(value, list):
        return [scrubbed(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {key: scrubbed(each) for key, each in value.items() if key != "stackTrace"}
    return kept | ({"identity": "worker"} if "identity" in kept else {})


def main() -> int:
    """Records one history; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("query", help="visibility query, for example PavaneKind = 'deploy'")
    parser.add_argument("scenario", help="what the history shows, for example succeeded")
    arguments = parser.parse_args()
    file = asyncio.run(record(arguments.query, arguments.scenario))
    print(file or "no closed workflow matches", flush=True)
    return 0 if file else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The SDK's native threads can crash the interpreter's exit after all work is done.
    os._exit(code)
