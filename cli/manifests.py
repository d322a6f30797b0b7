"""Reads manifests from files and knows on which line each field stands."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cli.errors import ExitCode, Problem

_SUFFIXES = {".yaml", ".yml", ".json"}
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True)
class Document:
    """One manifest and where it stands."""

    file: str
    line: int
    content: dict[str, Any]
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    """Path of a field -> its line."""

    def line_of(self, path: str) -> int:
        """Returns the line of a field such as ``spec.env[0].name``, else of what is around it."""
        steps = tuple(index or name for index, name in _STEP.findall(path))
        while steps and steps not in self.lines:
            steps = steps[:-1]
        return self.lines.get(steps, self.line)


def documents(paths: list[Path]) -> Iterator[Document]:
    """Yields the manifests of files, of the files in folders, or of standard input.

    Raises:
        Problem: A file cannot be read or is no YAML.
    """
    for path in paths:
        if str(path) == "-":
            yield from _of_text(sys.stdin.read(), "standard input")
            continue
        found = sorted(one for one in path.rglob("*") if one.suffix in _SUFFIXES)
        for file in found if path.is_dir() else [path]:
            try:
                text = file.read_text()
            except (OSError, UnicodeDecodeError) as error:
                raise Problem(
                    f"{file} cannot be read: {error}", title="Cannot read", code=ExitCode.USAGE
                ) from error
            yield from _of_text(text, str(file))


def _of_text(text: str, file: str) -> Iterator[Document]:
    try:
        for node in yaml.compose_all(text, Loader=yaml.SafeLoader):
            if node is not None:
                yield from _of_node(node, file)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        what = getattr(error, "problem", None) or str(error)
        raise Problem(
            f"{file}{line}: not YAML: {what}", title="Not YAML", code=ExitCode.USAGE
        ) from error


def _of_node(node: yaml.Node, file: str) -> Iterator[Document]:
    loader = yaml.SafeLoader("")
    content = loader.construct_document(node)
    line = node.start_mark.line + 1
    if content is None:
        return
    if not isinstance(content, dict):
        raise Problem(
            f"{file}:{line}: this is no manifest", title="Not a manifest", code=ExitCode.USAGE
        )
    items = content.get("items")
    if isinstance(items, list) and isinstance(node, yaml.MappingNode):
        for key, listed in node.value:
            if key.value == "items":
                for each in listed.value:
                    yield from _of_node(each, file)
        return
    yield Document(file, line, content, dict(_lines(node, ())))


def _lines(node: yaml.Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        for key, below in node.value:
            here = (*path, str(key.value))
            yield here, key.start_mark.line + 1
            yield from _lines(below, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, below in enumerate(node.value):
            here = (*path, str(index))
            yield here, below.start_mark.line + 1
            yield from _lines(below, here)
