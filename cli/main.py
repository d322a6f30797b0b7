"""The command ``pavane``: names its commands, runs one, turns problems into exit codes.

Exit codes: 0 done, 1 the operation did not succeed, 2 wrong usage or an invalid request, 3 not
found, 4 not logged in or not allowed, 5 something is unavailable, 6 conflict, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import ClassVar

import typer

from cli.errors import Problem
from cli.lazy import Entry, LazyGroup

_APPLICATIONS, _PLATFORM, _PERSON = "Applications", "Platform", "You"

COMMANDS: dict[str, Entry] = {
    "build": Entry("deliveries", "build", "Build a revision of a component.", _APPLICATIONS),
    "deploy": Entry("deliveries", "deploy", "Deploy a component.", _APPLICATIONS),
    "status": Entry("deliveries", "status", "Which version is where, and why.", _APPLICATIONS),
    "tree": Entry("trees", "tree", "Its objects on the plane, and how they are.", _APPLICATIONS),
    "promote": Entry("promotions", "promote", "Bring it to the next environment.", _APPLICATIONS),
    "rollback": Entry("promotions", "rollback", "Bring back what did well.", _APPLICATIONS),
    "why": Entry("promotions", "why", "Why it is not there yet.", _APPLICATIONS),
    "pipeline": Entry("pipelines", "pipeline_app", "The way of a component.", _APPLICATIONS),
    "set": Entry("sets", "app", "Components promoted together.", _APPLICATIONS),
    "hold": Entry("standings", "hold_app", "Keep automation away.", _APPLICATIONS),
    "pin": Entry("pins", "pin", "Keep a version where it is.", _APPLICATIONS),
    "unpin": Entry("pins", "unpin", "Let other versions come again.", _APPLICATIONS),
    "veto": Entry("standings", "veto_app", "What must not come.", _APPLICATIONS),
    "open": Entry("addresses", "open_component", "Where it answers; opens it.", _APPLICATIONS),
    "logs": Entry("logs", "logs", "Log of a component or a build.", _APPLICATIONS),
    "operations": Entry(
        "operations", "app", "What runs and ran: list, show, watch, cancel.", _APPLICATIONS
    ),
    "history": Entry("history", "history", "What was deployed, and by whom.", _APPLICATIONS),
    "diff": Entry("history", "diff", "What differs between two deployments.", _APPLICATIONS),
    "insights": Entry("insights", "insights", "How delivery goes: four measures.", _APPLICATIONS),
    "audit": Entry("audit", "app", "Who did what and why: list, export, verify.", _PLATFORM),
    "stop": Entry("stops", "stop", "Emergency stop: park every flow of a place.", _PLATFORM),
    "resume": Entry("stops", "resume", "Let a stopped place go on.", _PLATFORM),
    "approvals": Entry(
        "approvals", "app", "What waits for people: list, show, approve, reject.", _APPLICATIONS
    ),
    "break-glass": Entry("break_glass", "break_glass", "A role for a while.", _PLATFORM),
    "freeze": Entry(
        "freezes", "app", "When deployments wait: list, check, override.", _APPLICATIONS
    ),
    "health": Entry("schedules", "health", "How an environment is.", _APPLICATIONS),
    "schedules": Entry(
        "schedules", "app", "What runs by the clock: list, pause, resume, trigger.", _PLATFORM
    ),
    "park": Entry("park", "app", "What a technical fault parked: list, decide.", _PLATFORM),
    "apply": Entry("resources", "apply", "Create or change resources.", _PLATFORM),
    "get": Entry("resources", "get", "List resources, or show one.", _PLATFORM),
    "describe": Entry("resources", "describe", "Show a resource in detail.", _PLATFORM),
    "explain": Entry("golden_paths", "explain", "Explain a kind, a field or a class.", _PLATFORM),
    "validate": Entry("golden_paths", "validate", "Check files without a platform.", _PLATFORM),
    "import": Entry("importing", "import_resources", "Resources of OpenChoreo files.", _PLATFORM),
    "render": Entry("golden_paths", "render", "Objects a component becomes.", _APPLICATIONS),
    "net": Entry("network", "app", "Who may call whom: can, graph, matrix.", _APPLICATIONS),
    "task": Entry("tasks", "app", "Scheduled tasks: run, runs.", _APPLICATIONS),
    "secret": Entry("secrets", "app", "Secrets: set, describe, rotate.", _APPLICATIONS),
    "class": Entry("classes", "app", "Classes: consumers, plan, upgrade.", _PLATFORM),
    "quota": Entry("golden_paths", "quota", "Quotas and what is used of them.", _PLATFORM),
    "delete": Entry("resources", "delete", "Delete a resource.", _PLATFORM),
    "records": Entry("records", "app", "The records database: migrate.", _PLATFORM),
    "doctor": Entry("doctor", "doctor", "Check the installation; names remedies.", _PLATFORM),
    "stack": Entry("cli.stack", "stack_app", "The platform on this machine.", _PLATFORM),
    "login": Entry("session", "login", "Log in.", _PERSON),
    "logout": Entry("session", "logout", "Forget the token.", _PERSON),
    "whoami": Entry("session", "whoami", "Who the token says you are.", _PERSON),
    "config": Entry("config", "app", "Configuration of components, and settings.", _APPLICATIONS),
    "completion": Entry("shell", "completion", "Script for shell completion.", _PERSON),
    "version": Entry("shell", "version", "Version of this command.", _PERSON),
}


class PavaneGroup(LazyGroup):
    """All commands."""

    entries: ClassVar[dict[str, Entry]] = COMMANDS


app = typer.Typer(cls=PavaneGroup, no_args_is_help=True, add_completion=False)


@app.callback()
def pavane() -> None:
    """From a Git commit to a running service, durably."""


def main() -> None:
    """Entry point of ``pavane``."""
    if "_PAVANE_COMPLETE" in os.environ:
        from typer._completion_classes import completion_init  # noqa: PLC0415 - a shell asks, no person

        completion_init()  # without it typer knows no shell
    try:
        app(prog_name="pavane")
    except Problem as problem:
        from cli.console import show_problem  # noqa: PLC0415 - rich is not needed to start

        show_problem(problem)
        sys.exit(problem.code)


if __name__ == "__main__":
    main()
