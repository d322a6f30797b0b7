"""Alerts and dashboard about Pavane: Prometheus takes them, and they say what they should."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.sampled]

_FOLDER = Path(__file__).resolve().parents[3] / "charts/pavane/monitoring"
_ALERTS = _FOLDER / "alerts.yaml"
_METRIC = re.compile(r"\b(?:temporal|pavane)_[a-z_]+")
_ONLY_WHEN_IT_HAPPENS = {
    "temporal_workflow_task_execution_failed_total",
    "temporal_workflow_failed_total",
    "temporal_workflow_completed_total",
    "temporal_workflow_endtoend_latency_seconds_bucket",
    "temporal_activity_execution_failed_total",
    "temporal_activity_schedule_to_start_latency_seconds_bucket",
    "temporal_request_failure_total",
}
"""A counter is told from its first event on; the names are those of the SDK's documentation."""
_SERVED = [f'temporal_num_pollers{{task_queue="{one}"}}' for one in ("lanes", "control", "secrets")]


async def test_prometheus_of_the_stack_evaluates_every_alert_without_an_error(
    stack: dict[str, str],
) -> None:
    wanted = {
        rule["alert"]
        for group in yaml.safe_load(_ALERTS.read_text())["groups"]
        for rule in group["rules"]
    }
    async with httpx.AsyncClient(base_url=stack["PAVANE_PROMETHEUS__URL"]) as prometheus:
        async with asyncio.timeout(120):
            while True:
                groups = (await prometheus.get("/api/v1/rules")).json()["data"]["groups"]
                health = {rule["name"]: rule["health"] for one in groups for rule in one["rules"]}
                if health and "unknown" not in health.values():
                    break
                await asyncio.sleep(1)
    assert health == dict.fromkeys(wanted, "ok")


async def test_alerts_and_dashboard_ask_for_what_api_and_worker_tell(
    stack: dict[str, str],
) -> None:
    asked = set(_METRIC.findall(_ALERTS.read_text())) | {
        metric
        for panel in json.loads((_FOLDER / "dashboard.json").read_text())["panels"]
        for target in panel["targets"]
        for metric in _METRIC.findall(target["expr"])
    }
    async with httpx.AsyncClient(base_url=stack["PAVANE_PROMETHEUS__URL"]) as prometheus:
        async with asyncio.timeout(120):
            while True:
                answer = await prometheus.get("/api/v1/label/__name__/values")
                if not (missing := asked - set(answer.json()["data"]) - _ONLY_WHEN_IT_HAPPENS):
                    break
                await asyncio.sleep(1)
    assert not missing


def test_an_alert_names_the_queue_that_nobody_serves_and_the_plane_that_left(
    tmp_path: Path,
) -> None:
    plane = 'temporal_num_pollers{task_queue="plane.eu"}'
    tests = [
        {
            "interval": "1m",
            "input_series": [
                *({"series": one, "values": "5x30"} for one in _SERVED),
                {"series": plane, "values": "5x9 stale"},
            ],
            "alert_rule_test": [
                _expected("5m", "PavanePlaneUnserved"),
                _expected("20m", "PavanePlaneUnserved", {"task_queue": "plane.eu"}),
                _expected("20m", "PavaneQueueUnserved", {"task_queue": "orchestration"}),
            ],
        }
    ]
    _asked(tmp_path, tests)


def test_a_procedure_that_cannot_be_replayed_and_an_api_that_fails_are_told(
    tmp_path: Path,
) -> None:
    failed = 'temporal_workflow_task_execution_failed_total{task_queue="orchestration"}'
    served = "pavane_api_requests_total"
    tests = [
        {
            "interval": "1m",
            "input_series": [
                {"series": failed, "values": "0x4 0+1x20"},
                {"series": served + '{status="200"}', "values": "0+90x30"},
                {"series": served + '{status="503"}', "values": "0+10x30"},
            ],
            "alert_rule_test": [
                _expected("3m", "PavaneTaskFailures"),
                _expected("8m", "PavaneTaskFailures", {"task_queue": "orchestration"}),
                _expected("15m", "PavaneApiFails", {}),
            ],
        }
    ]
    _asked(tmp_path, tests)


def _expected(moment: str, name: str, labels: dict[str, str] | None = None) -> dict[str, Any]:
    """What an alert is to be at a moment; labels None = it is not to be."""
    alerts = [] if labels is None else [_alert(name, labels)]
    return {"eval_time": moment, "alertname": name, "exp_alerts": alerts}


def _alert(name: str, labels: dict[str, str]) -> dict[str, Any]:
    rule = next(
        rule
        for group in yaml.safe_load(_ALERTS.read_text())["groups"]
        for rule in group["rules"]
        if rule["alert"] == name
    )
    written = {
        key: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], text)
        for key, text in rule["annotations"].items()
    }
    return {"exp_labels": rule["labels"] | labels, "exp_annotations": written}


def _asked(folder: Path, tests: list[dict[str, Any]]) -> None:
    """Has promtool, which comes with Prometheus, try the rules on made-up series."""
    file = folder / "tests.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(_ALERTS)], "tests": tests}))
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
