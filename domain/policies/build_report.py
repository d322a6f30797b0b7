"""What the build pod tells about itself: marker lines in its log, and its report.

Marker lines divide the log into stages while it is read. They stand among the output of the user's
own commands, which could imitate them, so nothing is decided by them: durations and digests come
from the report, a file that only the build script can write.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

from domain.deliveries import ScanVerdict, StageDuration

STAGES = ("clone", "build", "test", "push", "sbom", "scan")
_MARKER = re.compile(r"##pavane stage=(?P<stage>[a-z]+) (?P<edge>start|end)=(?P<at>\d+(\.\d+)?)\s*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class StageMarker(BaseModel):
    """The beginning or the end of a stage, as the log says it."""

    model_config = ConfigDict(frozen=True)

    stage: str
    begins: bool
    at: float
    """Seconds since 1970 by the clock of the build pod."""


class BuildReport(BaseModel):
    """What a build pod found out and did."""

    model_config = ConfigDict(frozen=True)

    stages: tuple[StageDuration, ...] = ()
    digest: str = ""
    """``sha256:...`` of the pushed image; empty when none was pushed."""
    base_images: tuple[str, ...] = ()
    """``name@digest`` of the images the build began from."""
    cache_hit: bool = False
    """True when at least one layer came from an earlier build."""
    sbom: str = ""
    """``sha256:...`` of the pushed artifact with the SBOM; empty when there is none."""
    scan: ScanVerdict = ScanVerdict()
    authors: tuple[str, ...] = ()
    """Addresses of those who wrote the commit, as the commit says."""
    failed_stage: str = ""
    """The stage that did not succeed; empty when all did or none was begun."""


def parse_marker(line: str) -> StageMarker | None:
    """Returns the marker that a log line is, None for any other line."""
    match = _MARKER.fullmatch(line)
    if match is None or match["stage"] not in STAGES:
        return None
    return StageMarker(stage=match["stage"], begins=match["edge"] == "start", at=float(match["at"]))


def parse_report(text: str) -> BuildReport:
    """Reads the report of a build pod; lines it does not know are left out.

    One fact a line: ``stage NAME SECONDS ok|failed``, ``base NAME@DIGEST``, ``cache hit``,
    ``digest DIGEST``, ``sbom DIGEST``, ``scan passed|refused|unknown WORDS``, ``author ADDRESS``.
    """
    stages: list[StageDuration] = []
    bases: set[str] = set()
    authors: set[str] = set()
    digest = sbom = failed_stage = ""
    scan, cache_hit = ScanVerdict(), False
    for line in text.splitlines():
        match line.split():
            case ["stage", name, seconds, ("ok" | "failed") as end] if _is_number(seconds):
                stages.append(StageDuration(name=name, seconds=float(seconds)))
                failed_stage = name if end == "failed" else failed_stage
            case ["base", image]:
                bases.add(image)
            case ["author", address]:
                authors.add(address)
            case ["cache", "hit"]:
                cache_hit = True
            case ["digest", value] if _DIGEST.fullmatch(value):
                digest = value
            case ["sbom", value] if _DIGEST.fullmatch(value):
                sbom = value
            case ["scan", ("passed" | "refused" | "unknown") as verdict, *words]:
                scan = ScanVerdict(verdict=verdict, reason=" ".join(words))
            case _:
                continue
    return BuildReport(
        stages=tuple(stages),
        digest=digest,
        base_images=tuple(sorted(bases)),
        cache_hit=cache_hit,
        sbom=sbom,
        scan=scan,
        failed_stage=failed_stage,
        authors=tuple(sorted(authors)),
    )


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None
