"""Compares what travels through Temporal with the last release: models only gain optional fields.

    python -m scripts.payloads             tells what breaks, exit code 1 when something does
    python -m scripts.payloads --release   stores the present state as the one to compare with

Histories and callers of the last release are read by today's code, so each name must still take
what it took. Models are found from the registered procedures and the activities there are; new ones
need no word here.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, TypeAdapter
from temporalio import activity, workflow

import activities
from scripts.compatibility import breaks
from workflows.registry import WORKFLOWS

BASELINE = Path(__file__).resolve().parent.parent / "tests" / "replay" / "payloads.json"
Wire = dict[str, dict[str, Any]]
"""``calls``: name -> what it takes and returns; ``models``: name -> JSON schema."""


def present() -> Wire:
    """Everything that travels, as the code has it now."""
    calls = dict(sorted([*_procedures(), *_effects()]))
    types = [one for call in calls.values() for one in (*call["takes"], *call["returns"])]
    return {
        "calls": {
            name: {way: [_schema(one) for one in kinds] for way, kinds in call.items()}
            for name, call in calls.items()
        },
        "models": dict(sorted(_models(types).items())),
    }


def _procedures() -> Iterator[tuple[str, dict[str, list[Any]]]]:
    for each in WORKFLOWS:
        known = workflow._Definition.must_from_class(each)  # noqa: SLF001 - it has no public door
        yield f"workflow {known.name}", _call(known)
        for what, handlers in (
            ("signal", known.signals),
            ("update", known.updates),
            ("query", known.queries),
        ):
            for name, handler in handlers.items():
                yield f"{what} {known.name}.{name}", _call(handler)


def _effects() -> Iterator[tuple[str, dict[str, list[Any]]]]:
    for module in _modules(activities):
        for owner in vars(module).values():
            if not isinstance(owner, type) or owner.__module__ != module.__name__:
                continue
            for member in vars(owner).values():
                known = callable(member) and activity._Definition.from_callable(member)  # noqa: SLF001
                if known:
                    yield f"activity {known.name}", _call(known)


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def _call(definition: Any) -> dict[str, list[Any]]:
    returned = getattr(definition, "ret_type", None)
    takes = [one for one in definition.arg_types or () if not _is_owner(one)]
    return {"takes": takes, "returns": [] if returned in (None, type(None)) else [returned]}


def _is_owner(kind: Any) -> bool:
    return isinstance(kind, type) and not issubclass(kind, (BaseModel, Enum, str, int, float))


def _models(types: list[Any]) -> dict[str, Any]:
    """The schema of each model and enumeration that can be reached from the types."""
    found: dict[str, Any] = {}
    for kind in types:
        schema = TypeAdapter(kind).json_schema()
        met = schema.pop("$defs", {})
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            met[kind.__name__] = schema
        for name, one in met.items():
            known, bare = found.setdefault(name, _bare(one)), _bare(one)
            if bare not in (known, *known.get("oneOf", ())):
                # Two models of one name: what was taken must be taken by one of them.
                found[name] = {"oneOf": [*known.get("oneOf", [known]), bare]}
    return found


def _schema(kind: Any) -> Any:
    schema = TypeAdapter(kind).json_schema()
    schema.pop("$defs", None)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {"$ref": f"#/$defs/{kind.__name__}"}
    return _bare(schema)


def _bare(schema: Any) -> Any:
    """A schema without what is for readers only."""
    if isinstance(schema, list):
        return [_bare(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in {"title", "description"}}
    if isinstance(schema.get("properties"), dict):
        kept["properties"] = {key: _bare(one) for key, one in schema["properties"].items()}
    return {key: one if key == "properties" else _bare(one) for key, one in kept.items()}


def problems(old: Wire, new: Wire) -> list[str]:
    """What somebody of the last release would stumble over, one line each."""
    found = []
    for name, call in old["calls"].items():
        if name not in new["calls"]:
            found.append(f"{name}: is gone; keep it until nothing of the last release can call it")
            continue
        for way in ("takes", "returns"):
            before, now = call[way], new["calls"][name][way]
            if len(now) < len(before):
                found.append(f"{name}: {way} {len(now)} values, it was {len(before)}")
            for position, (one, other) in enumerate(zip(before, now, strict=False)):
                found += breaks(one, other, f"{name} {way}[{position}]")
    for name, schema in old["models"].items():
        if name in new["models"]:
            found += breaks(schema, new["models"][name], name)
        else:
            found.append(f"{name}: is gone; histories of the last release hold it")
    return found


def main() -> int:
    """Compares or stores; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", action="store_true", help="store instead of comparing")
    options = parser.parse_args()
    if options.release:
        BASELINE.write_text(json.dumps(present(), indent=1, sort_keys=True) + "\n")
        print(BASELINE.name)
        return 0
    found = problems(json.loads(BASELINE.read_text()), present())
    print("\n".join(found) or "what travels only gained optional fields")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
