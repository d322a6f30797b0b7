"""Which revisions of a class nobody needs any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.resources.binding import Binding
from domain.resources.classes import ClassRevision, ComponentClass

KEPT_REVISIONS = 20
"""The newest ones stay, used or not: releases that can be gone back to were made with them."""
_YOUNG = timedelta(days=30)


def unused_revisions(
    present: ComponentClass,
    revisions: Iterable[ClassRevision],
    bindings: Iterable[Binding],
    now: datetime,
) -> tuple[ClassRevision, ...]:
    """Returns the revisions of a class that may be forgotten, oldest first.

    The present one stays, what a binding runs with or is held at, what is young, and the newest.
    """
    used = {present.revision}
    for one in bindings:
        used |= {one.status.class_revision_ref, one.spec.class_revision_ref}
    own = sorted(
        (
            one
            for one in revisions
            if (one.spec.class_kind, one.spec.class_name) == (present.kind, present.name)
        ),
        key=lambda one: (one.metadata.creation_timestamp or now, one.name),
    )
    return tuple(
        one
        for one in own[:-KEPT_REVISIONS]
        if one.name not in used and now - (one.metadata.creation_timestamp or now) > _YOUNG
    )
