"""Reads what others declare, and says what of it Pavane has no counterpart for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.errors import InvalidRequest
from domain.importing.kubernetes import from_kubernetes
from domain.importing.openchoreo import FOREIGN, from_openchoreo
from domain.importing.reading import Imported, Lost
from domain.resources import parse

__all__ = ["Imported", "Lost", "converted"]


def converted(
    documents: Iterable[Mapping[str, Any]], *, organization: str, project: str
) -> Imported:
    """Returns our resources for the manifests of others, each of them valid, and what is lost.

    Args:
        documents: Resources of ``openchoreo.dev/v1alpha1``, Deployments and Services.
        organization: Namespace of what is made.
        project: Project of Deployments, which have none.

    Raises:
        InvalidRequest: A resource that was made is not valid; names its source and the field.
    """
    listed = list(documents)
    ours = from_openchoreo(
        [one for one in listed if one.get("apiVersion") == FOREIGN], organization
    )
    plain = from_kubernetes(
        [one for one in listed if one.get("apiVersion") != FOREIGN], organization, project
    )
    resources = (*ours.resources, *plain.resources)
    for one in resources:
        try:
            parse(one)
        except InvalidRequest as error:
            raise InvalidRequest(f"made of what was read: {error.message}") from error
    return Imported(resources=resources, lost=(*ours.lost, *plain.lost))
