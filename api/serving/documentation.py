"""The page at ``/docs``: made from the OpenAPI document, complete without any other server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

INTRODUCTION = """\
Orders are accepted with **202** and a `Location`: the operation that carries them out, durably.
Follow it by its events, or come back later. Send an `Idempotency-Key` to repeat an order safely.

Errors are problem documents (RFC 9457): `type` names the error, `detail` says what, where and why,
`advice` what to do. `requestId` finds the log lines. What you may not know of is not found.
"""

TAGS = [
    {"name": "builds", "description": "From a revision to an artifact."},
    {"name": "deployments", "description": "From an artifact to running pods."},
    {"name": "approvals", "description": "What waits for people, and what they decided."},
    {"name": "freezes", "description": "When deployments wait, and who lets something in."},
    {"name": "promotions", "description": "From one environment to the next, and back."},
    {"name": "operations", "description": "What runs and ran: steps, waits, results, reasons."},
    {"name": "logs", "description": "What builds and pods wrote."},
    {"name": "components", "description": "Which version is where, and why not a newer one."},
    {"name": "history", "description": "What was deployed, when, by whom, and what differs."},
    {"name": "audit", "description": "Who did what and why: list, export, verify."},
    {"name": "stops", "description": "Emergency stops: every flow parks at its next safe point."},
    {"name": "schedules", "description": "What runs by the clock: looks at health, rotations."},
    {"name": "resources", "description": "The resources of choreo.dev: read, apply, delete."},
    {"name": "golden paths", "description": "Renderings, classes and who follows them, quotas."},
    {"name": "configuration", "description": "Values by environment, their origin, releases."},
    {"name": "network", "description": "Who calls whom, who may, and what breaks without it."},
    {"name": "tasks", "description": "Runs of scheduled tasks."},
    {"name": "secrets", "description": "What components need and nobody may read."},
    {"name": "webhooks", "description": "Deliveries of Git servers."},
    {"name": "identity", "description": "Who is asking."},
    {"name": "health", "description": "Whether the API works, and how well."},
]

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:pavane:problem:NotFound"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "Subject, place and fact."},
        "instance": {"type": "string"},
        "requestId": {"type": "string"},
        "facts": {"type": "object", "additionalProperties": {"type": "string"}},
        "advice": {"type": "string"},
    },
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem document (RFC 9457)",
        "content": {"application/problem+json": {"schema": _PROBLEM}},
    }
}

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#1b1f24}
h1 small{font-weight:400;color:#667}h2{margin-top:2.5rem;border-bottom:1px solid #ddd}
details{margin:.4rem 0;border:1px solid #ddd;border-radius:6px;padding:.4rem .8rem}
summary{cursor:pointer}code{font:14px ui-monospace,monospace}
.m{display:inline-block;width:4.5rem;font-weight:700}.get{color:#0a6}.post{color:#05c}.delete{color:#b20}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .6rem .2rem 0;
vertical-align:top;border-bottom:1px solid #eee}p{white-space:pre-line}
@media(prefers-color-scheme:dark){body{background:#14171b;color:#dde}details,h2{border-color:#345}
td,th{border-color:#234}.get{color:#4d9}.post{color:#7af}.delete{color:#f87}}
"""


def render(document: Mapping[str, Any]) -> str:
    """Returns the page for an OpenAPI document."""
    info = document["info"]
    return "".join(
        (
            "<!doctype html><html lang=en><meta charset=utf-8>",
            "<meta name=viewport content='width=device-width,initial-scale=1'>",
            f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style>",
            f"<h1>{escape(info['title'])} API <small>{escape(info['version'])}</small></h1>",
            f"<p>{escape(info.get('description', ''))}</p>",
            "<p>Machine-readable: <a href=/openapi.json>openapi.json</a></p>",
            *_sections(document),
            "</html>",
        )
    )


def _sections(document: Mapping[str, Any]) -> Iterator[str]:
    for tag in document.get("tags", ()):
        yield f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>"
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if operation.get("tags", [""])[-1] == tag["name"]:
                    yield from _operation(path, method, operation, document)


def _operation(
    path: str, method: str, operation: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterator[str]:
    yield (
        f"<details><summary><code><span class='m {method}'>{method.upper()}</span>"
        f"{escape(path)}</code> {escape(operation.get('summary', ''))}</summary>"
        f"<p>{escape(operation.get('description', ''))}</p>"
    )
    rows = [
        _row(one["name"], f"in {one['in']}", one.get("required"), one["schema"], one)
        for one in operation.get("parameters", ())
    ]
    rows += _body_rows(operation, document)
    if rows:
        yield f"<table><tr><th>Name<th>Where<th>Type<th>Meaning</tr>{''.join(rows)}</table>"
    answers = ", ".join(code for code in operation["responses"] if code.isdigit())
    yield f"<p>Answers: {escape(answers)}, or a problem.</p></details>"


def _body_rows(operation: Mapping[str, Any], document: Mapping[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]
    schema = document.get("components", {}).get("schemas", {}).get(name, {})
    required = schema.get("required", ())
    return [
        _row(field, "in body", field in required, part, part)
        for field, part in schema.get("properties", {}).items()
    ]


def _row(
    name: str, where: str, required: object, schema: Mapping[str, Any], described: Mapping[str, Any]
) -> str:
    meaning = described.get("description") or schema.get("description") or ""
    mark = " *" if required else ""
    cells = (f"<code>{escape(name)}</code>{mark}", where, _type(schema), escape(str(meaning)))
    return f"<tr>{''.join(f'<td>{cell}' for cell in cells)}</tr>"


def _type(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return escape(" | ".join(str(one) for one in schema["enum"]))
    if "anyOf" in schema:
        kinds = (_type(one) for one in schema["anyOf"] if one.get("type") != "null")
        return " | ".join(kinds)
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return escape(str(schema.get("type", name or "any")))
