"""How a test tells a worker process at which point to die: files in a folder of its lane.

``order.json`` says what to do and where; it is renamed to ``done.json`` in the moment it is carried
out, so exactly one of all processes that read it does, and the next process does not.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.durability.points import Point

Verb = Literal["kill", "hold"]

VARIABLE = "PAVANE_TEST_ORDERS"
ORDER, DONE, GO, TRACES = "order.json", "done.json", "go", "traces.jsonl"


@dataclass(frozen=True)
class Order:
    """Die, or wait, at one point of the workflows of one organization."""

    organization: str
    point: Point
    verb: Verb = "kill"

    def write(self, folder: Path) -> None:
        for name in (DONE, GO):
            (folder / name).unlink(missing_ok=True)
        content = {
            "organization": self.organization,
            "verb": self.verb,
            "point": self.point.to_json(),
        }
        draft = folder / "draft.json"
        draft.write_text(json.dumps(content))
        draft.rename(folder / ORDER)

    @classmethod
    def read(cls, folder: Path) -> Order | None:
        try:
            content = json.loads((folder / ORDER).read_text())
        except FileNotFoundError:
            return None
        return cls(content["organization"], Point(**content["point"]), content["verb"])


def without_organization(workflow_id: str) -> str:
    """``deploy/acme/web/dev`` is ``deploy/web/dev`` in every run.

    What the intake asks for has a hash of what it saw at its end, which names the organization.
    What goes by the clock belongs to none: its id is the same in every run.
    """
    kind, *rest = workflow_id.split("/")
    rest = rest[1:]
    return re.sub(r"-[0-9a-f]{10}$", "-<hash>", "/".join((kind, *rest)))


class Carrier:
    """The worker's side: asked at each point, it carries out the order there is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._order: Order | None = None
        self._seen: dict[tuple[str, str], list[str]] = {}

    def occurrence(self, order: Order, moment: str, identity: str) -> int:
        """The how-manieth different one this is since the order was given."""
        if order != self._order:
            self._order, self._seen = order, {}
        known = self._seen.setdefault((str(order.point), moment), [])
        if identity not in known:
            known.append(identity)
        return known.index(identity) + 1

    def matching(self, workflow_id: str, kind: str, name: str) -> Order | None:
        """The order, when it is about this thing of this workflow."""
        order = Order.read(self._folder)
        if order is None or workflow_id.split("/")[1] != order.organization:
            return None
        point = order.point
        wanted = (point.workflow, point.kind, point.name)
        return order if wanted == (without_organization(workflow_id), kind, name) else None

    def carry_out(self, order: Order) -> bool:
        """Dies, or tells whether to hold; nothing happens when another process was faster."""
        try:
            (self._folder / ORDER).rename(self._folder / DONE)
        except FileNotFoundError:
            return False
        os.utime(self._folder / DONE, (time.time(), time.time()))
        if order.verb == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        return True

    def may_go_on(self) -> bool:
        return (self._folder / GO).exists()

    def trace(self, workflow_id: str, name: str, effects: int, beats: int) -> None:
        line = {
            "organization": "".join(workflow_id.split("/")[1:2]),
            "workflow": without_organization(workflow_id),
            "name": name,
            "effects": effects,
            "beats": beats,
        }
        with (self._folder / TRACES).open("a") as file:
            file.write(json.dumps(line) + "\n")
