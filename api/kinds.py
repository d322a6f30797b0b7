"""The kinds of ``choreo.dev`` by every name people use for them."""

from __future__ import annotations

from clients.kubernetes import Kind
from domain.errors import NotFound
from domain.resources import API_VERSION, KINDS, Resource


def _names() -> dict[str, type[Resource]]:
    named: dict[str, type[Resource]] = {}
    for model in KINDS.values():
        for name in (model.kind.lower(), model.plural, *model.short_names):
            named.setdefault(name, model)
    return named


_NAMES = _names()


def model_of(name: str) -> type[Resource]:
    """Returns the model of a kind by kind, plural or short name.

    Raises:
        NotFound: There is no such kind; the message lists all.
    """
    model = _NAMES.get(name.lower())
    if model is None:
        known = ", ".join(sorted(one.plural for one in KINDS.values()))
        raise NotFound(f"there is no kind {name}; the kinds are: {known}")
    return model


def kind_of(model: type[Resource]) -> Kind:
    """Returns what a path to objects of the kind is made of."""
    return Kind(API_VERSION, model.kind, model.plural, namespaced=model.scope == "Namespaced")
