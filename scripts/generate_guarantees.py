"""Writes docs/guarantees.md from what the tests of faults say of themselves, or compares it."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from devstack.faults.catalogue import LEFT_OUT, catalogue  # noqa: E402 - the root comes first

if TYPE_CHECKING:
    from tests.faults.promises import Promise

PAGE = ROOT / "docs" / "guarantees.md"
_HEAD = """\
<!-- Generated from tests/faults by scripts/generate_guarantees.py; changes here are lost. -->
# Guarantees: what happens when something around Pavane fails

Each row is a test that causes the fault on a real, complete stack, looks at what a user is shown
meanwhile, ends the fault and asserts the outcome. Every `make test` runs those marked ●, `make
proof` runs all of them.

Three words recur. *Tried again*: a technical fault is retried with growing pauses, at most 30 s
apart, for two hours; `pavane operations show` and the API's `retrying` tell what, which attempt,
the last error and when the next try is. *Nothing lost*: what was asked for before or during the
fault is carried out without another word. *Once*: no object, artifact or rollout is made twice.
"""
_FAULTS = """
## Try it yourself

`pavane stack fault` breaks a local stack in the same ways (development only). A fault ends by
itself after `--for`, at `stop`, or with the stack:

```
pavane stack fault start plane-cut --for 30s
pavane operations list
pavane stack fault stop --all
```

| Fault | Stack | What breaks | How it ends | Shown by |
|---|---|---|---|---|
"""


def collected() -> list[Promise]:
    """Every promise, in the order of the files and of the tests in them."""
    for file in sorted((ROOT / "tests" / "faults").glob("test_*.py")):
        importlib.import_module(f"tests.faults.{file.stem}")
    promises: list[Promise] = importlib.import_module("tests.faults.promises").PROMISES
    return promises


def page() -> str:
    """The whole document."""
    promises = collected()
    lines = [_HEAD]
    for place in dict.fromkeys(one.place for one in promises):
        lines += _section(place, [one for one in promises if one.place == place])
    lines.append(_FAULTS.rstrip("\n"))
    for fault in catalogue().values():
        shown = ", ".join(one.fault for one in promises if fault.name in one.causes)
        name = f"`{fault.name} --on …`" if fault.target else f"`{fault.name}`"
        cells = (name, fault.profile, fault.breaks, fault.undone, shown or "by hand only")
        lines.append(_row(cells))
    lines += ["", "## Not shown", ""]
    lines += [f"- **{name}**: {why}" for name, why in LEFT_OUT.items()]
    return "\n".join(lines) + "\n"


def _section(place: str, promises: Iterable[Promise]) -> list[str]:
    said = importlib.import_module(f"tests.faults.{place}").__doc__ or place
    lines = [
        f"## {said.splitlines()[0].rstrip('.')}",
        "",
        "| Fault | The user sees | Tried again | Afterwards | Waits for a person | Test |",
        "|---|---|---|---|---|---|",
    ]
    for one in promises:
        test = f"`{one.test}`"
        cells = (f"{'● ' if one.cheap else ''}{one.fault}", one.sees, one.retried or "-", one.ends)
        lines.append(_row((*cells, one.person or "-", test)))
    return [*lines, ""]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or compares; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare and write nothing")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the document is")
    options = parser.parse_args(arguments)
    wanted = page()
    if options.page.exists() and options.page.read_text() == wanted:
        return 0
    if options.check:
        print(f"{options.page.name} is not what the tests say; make guarantees")
        return 1
    options.page.write_text(wanted)
    print(options.page.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
