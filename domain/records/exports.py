"""Facts as other systems read them: JSON lines and CEF (ArcSight Common Event Format 0). Pure."""

from __future__ import annotations

import json

from domain.records.chain import ChainedFact
from domain.records.facts import FactResult

_SEVERITY = {
    FactResult.ASKED: 1,
    FactResult.DONE: 3,
    FactResult.UNDONE: 5,
    FactResult.REFUSED: 6,
    FactResult.FAILED: 7,
}


def json_line(row: ChainedFact) -> str:
    """Returns a row with its place in the chain: enough to verify the export by itself."""
    content = {
        "sequence": row.sequence,
        "previous": row.previous,
        "hash": row.hash,
        "body": row.body,
        "fact": json.loads(row.body),
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def cef_line(row: ChainedFact, version: str) -> str:
    """Returns a row as one CEF event."""
    fact = row.fact
    head = "|".join(
        _header(part)
        for part in (
            "CEF:0",
            "Pavane",
            "pavane",
            version,
            fact.action,
            f"{fact.action} {fact.subject}",
            str(_SEVERITY[fact.result]),
        )
    )
    told = {
        "rt": str(int(fact.at.timestamp() * 1000)),
        "suser": fact.actor,
        "outcome": fact.result.value,
        "reason": fact.reason,
        "msg": fact.message,
        "externalId": str(row.sequence),
        **_custom(1, "organization", fact.organization),
        **_custom(2, "component", fact.component),
        **_custom(3, "environment", fact.environment),
        **_custom(4, "before", fact.before),
        **_custom(5, "after", fact.after),
        **_custom(6, "hash", row.hash),
    }
    return f"{head}|{' '.join(f'{name}={_extension(text)}' for name, text in told.items() if text)}"


def _custom(number: int, label: str, value: str) -> dict[str, str]:
    return {f"cs{number}Label": label, f"cs{number}": value} if value else {}


def _header(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")


def _extension(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("=", "\\=")
    return escaped.replace("\r", "\\r").replace("\n", "\\n")
