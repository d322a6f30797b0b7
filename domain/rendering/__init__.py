"""From what is declared to the objects of a plane: pure, sorted, named by content.

Equal facts give byte-equal objects. Nothing here reads a clock, a cluster or a setting.
"""

from __future__ import annotations

from domain.rendering.build import BuilderSettings, RenderedBuild, render_build
from domain.rendering.diff import ReleaseDiff, diff_objects
from domain.rendering.facts import GatewayDefaults, ReleaseFacts, RenderedRelease
from domain.rendering.release import render_release

__all__ = [
    "BuilderSettings",
    "GatewayDefaults",
    "ReleaseDiff",
    "ReleaseFacts",
    "RenderedBuild",
    "RenderedRelease",
    "diff_objects",
    "render_build",
    "render_release",
]
