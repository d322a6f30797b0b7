"""Asks Cilium's own policy code, compiled into a program that reads questions and answers them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from domain.rendering.network.judging import Party


class Flow(NamedTuple):
    """One connection between two parties."""

    source: str
    target: str
    port: int
    protocol: str = "TCP"


class Told(NamedTuple):
    """What Cilium says of some flows."""

    allowed: tuple[bool, ...]
    """Both ends let it through."""
    refused: tuple[str, ...]
    """Policies that an agent would refuse, in its words."""


class Oracle:
    """One process that answers; it remembers nothing between two questions."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def ask(
        self,
        objects: Iterable[dict[str, Any]],
        parties: Sequence[dict[str, Any]],
        flows: Sequence[Flow],
    ) -> Told:
        """Returns what is let through; of the objects only policies count."""
        policies = {
            json.dumps(one, sort_keys=True): one
            for one in objects
            if one["kind"] in {"NetworkPolicy", "CiliumNetworkPolicy"}
        }
        question = {
            "policies": list(policies.values()),
            "parties": list(parties),
            "flows": [
                {"from": one.source, "to": one.target, "port": one.port, "protocol": one.protocol}
                for one in flows
            ],
        }
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{json.dumps(question)}\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert not answer["error"], answer["error"]
        verdicts = answer["verdicts"] or []
        return Told(
            tuple(one["egress"] and one["ingress"] for one in verdicts),
            tuple(answer["refused"] or ()),
        )


def pods(party: Party, name: str = "", **labels: str) -> dict[str, Any]:
    """A component's pods as the oracle wants them; more labels make another version of them."""
    return {
        "name": name or party.name,
        "namespace": party.namespace,
        "namespaceLabels": dict(party.namespace_labels),
        "labels": {**party.labels, **labels},
    }


def pod(name: str, namespace: str, **labels: str) -> dict[str, Any]:
    """A pod that Pavane did not make."""
    return {
        "name": name,
        "namespace": namespace,
        "namespaceLabels": {"kubernetes.io/metadata.name": namespace},
        "labels": {key.replace("_", "-"): value for key, value in labels.items()},
    }
