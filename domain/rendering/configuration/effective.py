"""The configuration of a component in an environment, with the origin of each value.

Laid over each other: defaults of the class, groups of the organization, of the project, of the
component, then what the binding says. Pure; equal facts give an equal answer.
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from domain.errors import Denied, InvalidRequest
from domain.rendering.configuration.schema import schema_faults, with_schema_defaults
from domain.rendering.configuration.values import chosen, references, replaced
from domain.rendering.facts import ReleaseFacts
from domain.secrets.places import key_of, permit_use

LONGEST_VALUE = 32_768
"""Bytes of one value, keys put in."""
LARGEST = 262_144
"""Bytes of all variables of a container together; a process's environment has bounds."""


class Origin(BaseModel):
    """Where a value comes from."""

    model_config = ConfigDict(frozen=True)

    level: str
    """``class``, ``organization``, ``project``, ``component`` or ``binding``."""
    name: str
    """Kind and name of the resource, such as ``ConfigurationGroup payments``."""
    said_for: str = ""
    """Such as ``environment staging`` or ``environment group production``; empty = always."""


class ConfigurationEntry(BaseModel):
    """One key and what it is in the environment."""

    model_config = ConfigDict(frozen=True)

    key: str
    value: str = ""
    """Empty = it is empty, or kept in Vault."""
    vault_key: str = ""
    """Path in Vault; empty = ``value`` is the value."""
    env: str = ""
    """Environment variable; empty = it is a file."""
    file: str = ""
    """Path of the file; empty = it is a variable."""
    origin: Origin
    overrides: tuple[Origin, ...] = ()
    """What it was laid over, the earliest first."""


class EffectiveConfiguration(BaseModel):
    """All keys of a component in an environment."""

    model_config = ConfigDict(frozen=True)

    entries: tuple[ConfigurationEntry, ...] = ()
    """By key."""
    problems: tuple[str, ...] = ()
    """Why it cannot be used, with names; empty = it can."""


def effective(facts: ReleaseFacts) -> EffectiveConfiguration:
    """Returns the configuration.

    Raises:
        InvalidRequest: It cannot be used; names every key that is missing, dangling, cyclic, too
            large, of the wrong type or twice in one place. Never a value.
    """
    judged = judged_configuration(facts)
    if judged.problems:
        where = f"the configuration of {facts.component.name} in {facts.environment.name}"
        raise InvalidRequest(
            f"{where}: {'; '.join(judged.problems)}", facts={"reason": "ConfigurationInvalid"}
        )
    return judged


def judged_configuration(facts: ReleaseFacts) -> EffectiveConfiguration:
    """Returns the configuration with all that is wrong with it; never raises for its content."""
    if not (
        facts.configuration
        or facts.component_class.spec.configuration
        or facts.binding.spec.configurations
    ):
        return EffectiveConfiguration()
    table = _Table(facts)
    return EffectiveConfiguration(
        entries=tuple(table.entries[key] for key in sorted(table.entries)),
        problems=tuple(dict.fromkeys(table.problems)),
    )


class _Table:
    """Fills in what is known, layer by layer."""

    def __init__(self, facts: ReleaseFacts) -> None:
        self._facts = facts
        self.entries: dict[str, ConfigurationEntry] = {}
        self.problems: list[str] = []
        self._required: dict[str, str] = {}
        self._targets: dict[str, tuple[str, str]] = {}
        self._known: set[str] = set()
        self._of_class()
        self._of_groups()
        self._of_binding()
        self._fill_in()
        self.problems += [*self._missing(), *self._against_schema(), *self._collisions()]
        self.problems += [*self._too_large(), *self._not_ours()]

    def _put(self, key: str, value: str, vault_key: str, origin: Origin) -> None:
        before = self.entries.get(key)
        env, file = self._targets.get(key, ("", ""))
        self.entries[key] = ConfigurationEntry(
            key=key,
            value=value,
            vault_key=vault_key,
            env="" if file else env or variable_of(key),
            file=file,
            origin=origin,
            overrides=(*before.overrides, before.origin) if before else (),
        )

    def _of_class(self) -> None:
        schema = self._facts.component_class.spec.configuration
        self._known |= set(schema.get("properties") or {})
        for key, value in with_schema_defaults(schema).items():
            self._put(key, value, "", Origin(level="class", name=self._facts.class_said))

    def _of_groups(self) -> None:
        project = self._facts.project
        for use in self._facts.configuration:
            group = use.group
            said = f"ConfigurationGroup {group.name}"
            only = group.spec.project_ref
            if only and only != project:
                self.problems.append(
                    f"{said} is for components of project {only}, and {use.level} "
                    f"{self._said_by(use.level)} names it"
                )
                continue
            self.problems += [f"{said}: {problem}" for problem in group.problems()]
            for one in group.spec.configurations:
                self._known.add(one.key)
                if one.env or one.file:
                    self._targets[one.key] = (one.env, one.file)
                if one.required:
                    self._required[one.key] = said
                found = chosen(group, one, self._facts.environment)
                if found is not None:
                    value, where = found
                    origin = Origin(level=use.level, name=said, said_for=where)
                    self._put(one.key, value.value, value.vault_key, origin)

    def _said_by(self, level: str) -> str:
        names = {"organization": self._facts.organization, "project": self._facts.project}
        return names.get(level, self._facts.component.name)

    def _of_binding(self) -> None:
        binding = self._facts.binding
        for one in binding.spec.configurations:
            if one.key not in self._known:
                close = difflib.get_close_matches(one.key, self._known, n=1)
                meant = f"; did you mean {close[0]}?" if close else ""
                self.problems.append(
                    f"{binding.kind} {binding.name}: spec.configurations names the key {one.key}, "
                    f"which no group of the component and no class has{meant}"
                )
                continue
            origin = Origin(level="binding", name=f"{binding.kind} {binding.name}")
            self._put(one.key, one.value, one.vault_key, origin)

    def _fill_in(self) -> None:
        filled: dict[str, str] = {}
        for key in sorted(self.entries):
            self._filled(key, (), filled)
        for key, value in filled.items():
            self.entries[key] = self.entries[key].model_copy(update={"value": value})

    def _filled(self, key: str, asking: tuple[str, ...], filled: dict[str, str]) -> str:
        """Returns the value of a key with the values of others put in; tells what cannot be."""
        if key in asking:
            circle = (*asking[asking.index(key) :], key)
            # One circle is told once, whichever key of it is looked at first.
            first = min(range(len(circle) - 1), key=lambda index: circle[index])
            turned = (*circle[first:-1], *circle[: first + 1])
            self.problems.append(f"the keys {' -> '.join(turned)} refer to each other in a circle")
            return ""
        if key in filled:
            return filled[key]
        entry = self.entries.get(key)
        if entry is None or entry.vault_key:
            if asking:
                why = "is kept in Vault" if entry else "has no value here"
                self.problems.append(f"key {asking[-1]} refers to ${{{key}}}, which {why}")
            return ""
        value = entry.value
        if references(value):
            value = replaced(value, lambda other: self._filled(other, (*asking, key), filled))
        size = len(value.encode())
        if size > LONGEST_VALUE:
            self.problems.append(f"key {key} has {size} bytes: {LONGEST_VALUE} at most")
            value = ""
        filled[key] = value
        return value

    def _missing(self) -> Iterator[str]:
        for key, said in sorted(self._required.items()):
            if key not in self.entries:
                yield f"key {key} has no value (required by {said})"

    def _against_schema(self) -> Iterator[str]:
        spec, said = self._facts.component_class.spec, self._facts.class_said
        kept = frozenset(key for key, one in self.entries.items() if one.vault_key)
        plain = {key: one.value for key, one in self.entries.items() if not one.vault_key}
        for key, problem in schema_faults(spec.configuration, plain, kept):
            if key not in self.entries and key in self._required:
                continue
            given = f" of {self.entries[key].origin.name}" if key in self.entries else ""
            yield f"key {key}{given} {problem} (configuration of {said})"

    def _collisions(self) -> Iterator[str]:
        by_target: defaultdict[str, list[str]] = defaultdict(list)
        for key, one in sorted(self.entries.items()):
            by_target[f"the variable {one.env}" if one.env else f"the file {one.file}"].append(key)
        for target, keys in sorted(by_target.items()):
            if len(keys) > 1:
                yield f"keys {' and '.join(keys)} would both be {target}: set env or file of one"

    def _not_ours(self) -> Iterator[str]:
        """What is kept in Vault for others is not referred to. Whether it is there is not known."""
        place = self._facts.project, self._facts.environment.name
        for key, one in sorted(self.entries.items()):
            if not one.vault_key:
                continue
            try:
                permit_use(key_of(one.vault_key).path, *place)
            except (Denied, InvalidRequest) as refused:
                yield f"key {key} of {one.origin.name}: {refused.message}"

    def _too_large(self) -> Iterator[str]:
        size = sum(
            len(one.env) + len(one.value.encode()) for one in self.entries.values() if one.env
        )
        if size > LARGEST:
            yield f"its variables have {size} bytes together: {LARGEST} at most; use files"


def variable_of(key: str) -> str:
    """Returns the variable of a key that names none: ``database.url`` is ``DATABASE_URL``."""
    name = key.upper().replace(".", "_").replace("-", "_")
    return f"_{name}" if name[0].isdigit() else name
