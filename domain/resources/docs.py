"""Reads the docstrings under the fields of a model, for the schemas that people see.

Done when a schema is generated and not when a class is made, so imports stay cheap.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


@cache
def field_docs(model: type) -> dict[str, str]:
    """Returns field name -> docstring of a class and its bases, each as one line of text."""
    docs: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if owner.__module__.startswith("domain."):
            docs.update(_docs_of(owner))
    return docs


def _docs_of(owner: type) -> dict[str, str]:
    body = _classes(owner.__module__)[owner.__name__].body
    docs: dict[str, str] = {}
    for field, text in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            docs[field.target.id] = one_line(text.value.value)
    return docs


def one_line(text: str) -> str:
    """Returns a docstring without its line breaks."""
    return " ".join(inspect.cleandoc(text).split())
