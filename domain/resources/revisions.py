"""What a class was in one of its revisions."""

from __future__ import annotations

from typing import Any, TypeVar

from domain.resources.base import Metadata
from domain.resources.classes import ClassRevision, ClassRevisionSpec, ComponentClass

C = TypeVar("C", bound=ComponentClass)


def revision_of(present: ComponentClass) -> ClassRevision:
    """Returns the revision of the present content of a class."""
    return ClassRevision(
        metadata=Metadata(name=present.revision, namespace=present.namespace),
        spec=ClassRevisionSpec(
            class_kind=present.kind, class_name=present.name, content=present.content
        ),
    )


def as_in(present: C, revision: ClassRevision) -> C:
    """Returns a class with the content it had in a revision."""
    model: Any = type(present).model_fields["spec"].annotation
    spec = model.model_validate(revision.spec.content, by_alias=True, by_name=False)
    return present.model_copy(update={"spec": spec})
