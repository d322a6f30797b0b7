"""The demo: from Git commits to a running service on a complete local stack, told step by step.

Safe to run again: the stack stays up, resources are applied again, new commits are pushed. Asks
nothing and needs no terminal.
"""

from __future__ import annotations

import argparse
import string
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from rich.table import Table

from devstack.core.people import passwords
from devstack.lifecycle import running
from devstack.state import StateDir, state_dir
from devstack.webhooks import ensure_webhook_secret
from scripts.database import DemoDatabase
from scripts.load import Load
from scripts.promoting import Promoting
from scripts.rotating import Rotating
from scripts.sample import DemoFailed, SampleRepository
from scripts.telling import COMPONENT, ORGANIZATION, ROOT, Teller, console, host_of

DRAIN = 20.0
"""Seconds in which the pods of the release before must have stopped answering."""


class Demo(Teller):
    """One run of the demo on one stack."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.source = SampleRepository(Path(), "")

    def run(self) -> None:
        """Tells the whole story.

        Raises:
            DemoFailed: Something did not go as told.
        """
        with self.stage("stack up"):
            self.pavane("stack", "up", "--profile", "full", "--name", self.name)
        self.connect(state_dir(self.name))
        with self.stage("resources"):
            self.platform()
            rotating = Rotating(self)
            rotating.start()
            self.application()
            rotating.declare()
        with self.stage("first commit to URL"):
            self.deliver("Greet", self.source.first_version)
        with self.stage("second commit to URL"):
            good = self.deliver("Greet more warmly", self.source.second_version)
        with self.stage("a credential turned over"):
            rotating.turn_over()
        further = Promoting(self)
        with self.stage("to staging, by policy"):
            further.to_staging(good)
        with self.stage("to production, by approval"):
            further.to_production(good)
        with self.stage("crashing commit to restored"):
            self.crash()
        with self.stage("leaking commit to staging"):
            further.to_staging(self.deliver("Count visitors", self.source.leaking_version))
        with self.stage("caught in production, rolled back"):
            further.bad_version()
        with self.stage("what is remembered"):
            further.aftermath()
        self.conclude()

    def connect(self, state: StateDir) -> None:
        """Learns where everything is and signs the two people of the demo in."""
        record = running(state)
        if record is None:
            message = "the stack is not running; its logs: pavane stack logs NAME"
            raise DemoFailed(message)
        self.environment = dict(record.environment)
        self.folder = state.data / "demo"
        remote = f"{self.environment['PAVANE_GIT__URL']}/{ORGANIZATION}/{COMPONENT}.git"
        self.source = SampleRepository(self.folder / COMPONENT, remote)
        ensure_webhook_secret(state, ORGANIZATION)
        for user, password in passwords(state).items():
            person = self.person(user)
            self.pavane("login", "-u", user, "--password-stdin", stdin=password, person=person)
            self.pavane("config", "set-context", "local", "--organization", ORGANIZATION,
                        person=person, quiet=True)  # fmt: skip

    def platform(self) -> None:
        """Ada, a platform engineer, declares the platform."""
        console.print("Ada, a platform engineer, declares what there is, and the gates:")
        for folder in ("examples/platform", "examples/promotion"):
            self.pavane("apply", "-f", folder, person=self.person("ada"))

    def application(self) -> None:
        """Dev, a developer, declares a project and a component with its workload."""
        console.print("Dev, a developer, declares a project and a component:")
        rendered = self.folder / "resources"
        rendered.mkdir(parents=True, exist_ok=True)
        for file in sorted((ROOT / "examples" / "demo").glob("*.yaml")):
            text = string.Template(file.read_text()).safe_substitute(self.environment)
            (rendered / file.name).write_text(text)
        self.pavane("apply", "-f", str(rendered), person=self.person("dev"))

    def push(self, message: str, change: Callable[[], None]) -> str:
        """Commits a change and pushes it before the reader's eyes; returns the commit."""
        console.print(f'$ git commit -m "{message}" && git push origin main')
        return self.source.push(message, change)

    def deliver(self, message: str, change: Callable[[], None]) -> str:
        """Pushes a change and waits until the URL answers with its commit; returns the version."""
        commit = self.push(message, change)
        self.built(commit)
        status = self.until(lambda seen: seen["version"] == commit[:12] and seen["ready"],
                            lambda seen: seen["wanted"] and "Failed" in seen["reason"])  # fmt: skip
        # The last requests may still go to a pod of the release before, while it is drained.
        deadline = time.monotonic() + DRAIN
        while (answer := self.ask(status["url"])).json()["commit"] != commit:
            if time.monotonic() > deadline:
                message = f"the URL still answers with commit {answer.json()['commit']}"
                raise DemoFailed(message)
            time.sleep(0.2)
        console.print(f"$ curl {status['url']}\n{answer.text.strip()}")
        return str(status["version"])

    def built(self, commit: str) -> None:
        """The push's webhook has started the build; shows its steps until it has ended."""
        operation = f"build/{ORGANIZATION}/{COMPONENT}/{commit[:12]}"
        what = f"a build of {commit[:12]}: see `pavane stack logs git`"
        self.eventually(what, lambda: self.answer("operations", "show", operation))
        self.pavane("operations", "watch", operation, person=self.person("dev"))

    def crash(self) -> None:
        """A version that crashes at start is seen to fail and what ran before is restored."""
        before = self.now()
        with Load(self.gateway, host_of(before["url"])) as load:
            commit = self.push("Add a bug", self.source.crashing_version)
            self.built(commit)
            status = self.until(
                lambda seen: (
                    seen["wanted"] != before["wanted"]
                    and not seen["ready"]
                    and seen["reason"] not in {"Deploying", "Deployed"}
                )
            )
            console.print(f"{status['reason']}: {status['message']}")
            operation = status["operation"].rpartition("/")[0]
            self.pavane("operations", "show", operation, person=self.person("dev"), check=False)
        console.print(
            f"{load.requests} requests to {before['url']} meanwhile, {load.failed} failed; "
            f"it still answers with {self.ask(before['url']).json()['commit'][:12]}"
        )
        if load.failed:
            message = f"{load.failed} requests failed while the release was restored"
            raise DemoFailed(message)

    def conclude(self) -> None:
        """Stages with their times, where to look, what to try."""
        table = Table("stage", "seconds", title="What it took")
        for name, seconds in self.stages:
            table.add_row(name, f"{seconds:.1f}")
        console.print()
        console.print(table)
        console.print(f"Service      {self.now()['url']}")
        console.print(f"Temporal UI  {self.environment['TEMPORAL_UI_URL']}")
        console.print(f"API docs     {self.environment['PAVANE_API__URL']}/docs")
        console.print("\nThe stack stays up. Try next:")
        console.print(f'  eval "$(.venv/bin/pavane stack env --name {self.name})"')
        console.print(f"  export PAVANE_CONFIG_DIR={self.folder}/people/dev")
        console.print("  .venv/bin/pavane status web")
        console.print("  .venv/bin/pavane operations list")
        console.print("  .venv/bin/pavane logs web --environment development -f")
        console.print("  make demo-down        # removes the stack and its data")


def main() -> int:
    """Runs the demo, or removes its stack; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description=__doc__)
    parser.add_argument("--name", default="demo", help="name of the stack")
    parser.add_argument("--down", action="store_true", help="remove the stack and its data")
    arguments = parser.parse_args()
    demo = Demo(arguments.name)
    try:
        if arguments.down:
            DemoDatabase(arguments.name, "").remove()
            demo.pavane("stack", "reset", "--yes", "--name", arguments.name)
        else:
            demo.run()
    except (DemoFailed, httpx.HTTPError) as error:
        console.print(f"\n[red]The demo stopped:[/red] {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
