"""Checks manifests without a platform: the same models and rules as the API server's.

Schema and rules of each kind, templates and parameters of classes, and references among the files.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cli.manifests import Document
from domain.errors import InvalidRequest, NotFound
from domain.rendering.offline import Shelf, assemble
from domain.rendering.release import render_release
from domain.rendering.templates import class_problems
from domain.resources import API_VERSION, KINDS, Component, Environment, Resource, parse
from domain.resources.classes import ComponentClass
from domain.resources.configuration import ConfigurationGroup
from domain.resources.pipeline import DeploymentPipeline
from domain.resources.references import missing_references

_PATH = re.compile(r"^(?P<path>(metadata|spec|status)[A-Za-z0-9_.\[\]-]*)\b")
_FOREIGN = "is no resource of Pavane: it is left alone"


@dataclass(frozen=True)
class Finding:
    """One thing that was found."""

    level: str
    """``error`` or ``warning``."""
    file: str
    line: int
    resource: str
    """``Kind/name``."""
    message: str

    def as_dict(self) -> dict[str, object]:
        """Returns it as JSON has it."""
        return {
            "level": self.level,
            "file": self.file,
            "line": self.line,
            "resource": self.resource,
            "message": self.message,
        }


def findings(documents: Iterable[Document], *, organization: str, strict: bool) -> list[Finding]:
    """Returns all that was found, by file and line.

    Args:
        documents: The manifests.
        organization: Namespace of those that name none.
        strict: A reference that leads out of the files is an error, not a warning.
    """
    found: list[Finding] = []
    parsed: list[tuple[Document, Resource]] = []
    for one in documents:
        result = _parsed(one, organization)
        if isinstance(result, list):
            found += result
        else:
            parsed.append((one, result))
    found += _twice(parsed)
    found += _of_references(parsed, strict=strict)
    for document, resource in parsed:
        found += _of_content(document, resource)
    if not any(one.level == "error" for one in found):
        found += _of_renderings(parsed)
    return sorted(found, key=lambda one: (one.file, one.line, one.message))


def _parsed(document: Document, organization: str) -> Resource | list[Finding]:
    content = dict(document.content)
    kind = str(content.get("kind", ""))
    metadata = content.get("metadata")
    name = str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
    if content.get("apiVersion") != API_VERSION and kind not in KINDS:
        message = f"{content.get('apiVersion', 'without apiVersion')} {kind} {_FOREIGN}"
        return [_finding(document, "warning", f"{kind}/{name}", "apiVersion", message)]
    model = KINDS.get(kind)
    if model is not None and model.scope == "Namespaced" and isinstance(metadata, dict):
        content["metadata"] = {"namespace": organization, **metadata}
    try:
        return parse(content)
    except InvalidRequest as error:
        _, _, faults = error.message.partition(": ")
        return [
            _finding(document, "error", f"{kind}/{name}", _path_of(fault), fault)
            for fault in (faults or error.message).split("; ")
        ]


def _twice(parsed: list[tuple[Document, Resource]]) -> Iterator[Finding]:
    seen: dict[tuple[str, str, str], Document] = {}
    for document, resource in parsed:
        key = resource.kind, resource.namespace, resource.name
        first = seen.setdefault(key, document)
        if first is not document:
            message = f"is declared at {first.file}:{first.line} already"
            yield _finding(document, "error", _said(resource), "metadata.name", message)


def _of_references(parsed: list[tuple[Document, Resource]], *, strict: bool) -> Iterator[Finding]:
    existing: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for _, resource in parsed:
        existing[resource.organization][resource.kind].add(resource.name)
    for document, resource in parsed:
        for missing in missing_references(resource, existing[resource.organization]):
            reference = missing.reference
            message = (
                f"{reference.field} names {reference.kind} {reference.name}, which is not in the "
                "files"
                if reference.name
                else f"{reference.field} is empty"
            )
            level = "error" if strict else "warning"
            yield _finding(document, level, _said(resource), reference.field, message)


def _of_content(document: Document, resource: Resource) -> Iterator[Finding]:
    problems: tuple[str, ...] = ()
    if isinstance(resource, ComponentClass):
        problems = class_problems(resource)
    elif isinstance(resource, DeploymentPipeline | ConfigurationGroup):
        problems = resource.problems()
    for problem in problems:
        yield _finding(document, "error", _said(resource), _path_of(problem), problem)


def _of_renderings(parsed: list[tuple[Document, Resource]]) -> Iterator[Finding]:
    """Renders every component in every environment of which the files hold all that is needed."""
    for document, component in parsed:
        if not isinstance(component, Component):
            continue
        shelf = Shelf((one for _, one in parsed), component.organization)
        for environment in shelf.all(Environment):
            try:
                render_release(assemble(shelf, component.name, environment.name))
            except NotFound:
                continue
            except InvalidRequest as error:
                where = f"in {environment.name}: {error.message}"
                yield _finding(document, "error", _said(component), "", where)


def _path_of(fault: str) -> str:
    match = _PATH.match(fault)
    return match["path"] if match else ""


def _said(resource: Resource) -> str:
    return f"{resource.kind}/{resource.name}"


def _finding(document: Document, level: str, resource: str, path: str, message: str) -> Finding:
    return Finding(level, document.file, document.line_of(path), resource, message)
