"""Reads an object field by field and knows afterwards which fields nobody took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.resources.base import API_VERSION

_STANDARD = ("apiVersion", "kind", "metadata", "status")


class Lost(BaseModel):
    """Something that has no counterpart."""

    model_config = ConfigDict(frozen=True)

    source: str
    """Kind and name."""
    field: str
    """Path; empty = the whole object."""
    why: str


class Imported(BaseModel):
    """What was made, and what could not be."""

    model_config = ConfigDict(frozen=True)

    resources: tuple[dict[str, Any], ...] = ()
    lost: tuple[Lost, ...] = ()


class Reader:
    """One object of others."""

    def __init__(self, obj: Mapping[str, Any]) -> None:
        self._content = obj
        self._taken: set[str] = set()
        self.kind = str(obj.get("kind", ""))
        self.name = str((obj.get("metadata") or {}).get("name", ""))

    @property
    def source(self) -> str:
        """Kind and name, for people."""
        return f"{self.kind} {self.name}"

    def take(self, *paths: str, default: Any = None) -> Any:
        """Returns the first of some fields that is there; all that lies below it counts as taken.

        Several paths are the names a field had in several versions.
        """
        for path in paths:
            value = self._at(path)
            if value is not None:
                self._taken.add(path)
                return value
        return default

    def name_at(self, *paths: str) -> str:
        """Returns a reference, written as a name or as an object with one."""
        value = self.take(*paths)
        if isinstance(value, Mapping):
            value = value.get("name")
        return str(value or "")

    def left(self) -> tuple[Lost, ...]:
        """Returns the fields nobody took."""
        return tuple(
            Lost(source=self.source, field=path, why="has no counterpart")
            for path in self._leaves("", self._content)
            if not any(
                path == one or path.startswith((f"{one}.", f"{one}[")) for one in self._taken
            )
        )

    def lost(self, field: str, why: str) -> Lost:
        """Returns that a field is lost, with a reason better than that nobody took it."""
        return Lost(source=self.source, field=field, why=why)

    def _at(self, path: str) -> Any:
        value: Any = self._content
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def _leaves(self, path: str, value: Any) -> Iterator[str]:
        if isinstance(value, Mapping) and value:
            for key, each in value.items():
                if path or key not in _STANDARD:
                    yield from self._leaves(f"{path}.{key}" if path else str(key), each)
        elif isinstance(value, list) and value:
            for number, each in enumerate(value):
                yield from self._leaves(f"{path}[{number}]", each)
        elif value not in (None, "", {}, []):
            yield path


def resource(kind: str, name: str, organization: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Returns one of our manifests, without empty fields."""
    filled = {key: value for key, value in spec.items() if value not in (None, "", {}, [], ())}
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": organization},
        "spec": filled,
    }
