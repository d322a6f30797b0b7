"""Writes crds/*.yaml from the models in domain/resources, or with --check says what differs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from domain.resources import KINDS  # noqa: E402 - the root must be on the path first
from domain.resources.crd import definition  # noqa: E402

HEADER = "# Generated from domain/resources by scripts/generate_crds.py; changes here are lost.\n"


def documents() -> dict[str, str]:
    """Returns file name -> content of everything in crds/."""
    return {f"{kind.plural}.yaml": _written(definition(kind)) for kind in KINDS.values()}


def _written(content: dict[str, object]) -> str:
    return HEADER + yaml.safe_dump(content, sort_keys=False, width=100, allow_unicode=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or compares; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare and write nothing")
    parser.add_argument("--folder", type=Path, default=ROOT / "crds", help="where the files are")
    options = parser.parse_args(arguments)
    wanted = documents()
    present = {path.name: path.read_text() for path in options.folder.glob("*.yaml")}
    stale = sorted(name for name in wanted | present if wanted.get(name) != present.get(name))
    if options.check:
        for name in stale:
            print(f"crds/{name} is not what the models say")
        return 1 if stale else 0
    options.folder.mkdir(exist_ok=True)
    for name in stale:
        path = options.folder / name
        if name in wanted:
            path.write_text(wanted[name])
        else:
            path.unlink()
        print(f"crds/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
