"""Renders the chart with the pinned Helm."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from devstack.programs import Silent, ensure

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/pavane"
PLANE_CHART = ROOT / "charts/pavane-plane"
SETTINGS = ("temporal.address=temporal:7233", "image.repository=registry.example.test/pavane")


def helm(*arguments: str, environment: dict[str, str] | None = None, check: bool = True) -> str:
    """Runs Helm and returns what it wrote; fails with what it said against it."""
    program = ensure(["helm"], progress=Silent())["helm"].path
    done = subprocess.run(
        [program, *arguments],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert not check or done.returncode == 0, f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout if done.returncode == 0 else done.stderr


def render(*settings: str, chart: Path = CHART, more: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Every object of a chart, hooks among them, but the definitions of kinds.

    ``more`` are arguments of Helm.
    """
    given = [f"--set={one}" for one in (*SETTINGS, *settings)]
    text = helm("template", "pavane", str(chart), "--namespace=pavane-system", *given, *more)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [
        one
        for one in yaml.load_all(text, loader)
        if one and one["kind"] != "CustomResourceDefinition"
    ]
