# ruff: noqa: E501 - rows of a table cannot be broken
"""Writes docs/tenancy.md from the tries of the test of two hostile tenants, or compares it."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "docs" / "tenancy.md"
_MODULES = ("tries_api", "tries_kubectl", "tries_crafted")
_HEAD = """\
<!-- Generated from tests/integration/tenants by scripts/generate_tenancy.py; changes are lost. -->
# Tenancy: what keeps organizations apart

An Organization is a tenant. The procedure `tenant/{organization}` gives it, and keeps:

| What | Where | Why |
|---|---|---|
| a namespace with pod security `restricted` | control plane | its resources; no pod that could do harm |
| roles and bindings made of `spec.access` | control plane | kubectl may do what the API lets a person do |
| pods and logs, by project and environment | data planes | a rule that is limited is exact there |
| ResourceQuota, LimitRange | data planes | no node ports or load balancers; room by the quotas |
| admission of images | data planes | only its own, the common and the allowed ones run |
| admission of labels | control plane | projects and components carry `spec.security.requiredLabels` |

A role that is taken away is gone from the API with the next request, and from Kubernetes when the
event has been worked off. `pavane get organization NAME -o yaml` tells what holds, in the conditions
Namespace, Access, Admission and Planes; Ready says whether all of it does; it is said
when the API servers have refused what they must, as a trial that writes nothing.

Kubernetes cannot limit rights in a namespace to a project or an environment. Rules that are so
limited give nothing in the organization's namespace; the condition Access names whom that concerns.
Names that begin with `system:` are never bound.

Quotas of organization, project and environment hold for whatever declares a component, kubectl and
GitOps too: what does not fit is not applied, and its binding says so (`QuotaExceeded`, with the
numbers). The API server itself takes the resource: an admission policy sees one object at a time and
cannot count others. In a data plane's namespace a ResourceQuota bounds what comes another way.

A plane worker takes work of every organization that names its task queue. For a cluster that is
meant for some, set `PAVANE_WORKER__ORGANIZATIONS`; others are refused.

## What was tried

Two organizations, set up by the real procedure on a real API server. A developer and an
administrator of `alpha` try to reach what is of `beta`; every answer is searched for beta's content.
Each row is a test; `make test` runs them all.

| By | What is tried | What it meets |
|---|---|---|
"""
_FOOT = """
## Not held by this

- Pods of two organizations share nodes, and what shares a kernel can attack it. Give an organization
  planes of its own where that matters.
- Network between namespaces is closed by policies, which need an agent on the nodes that enforces them.
- Administrators of the installation, and whoever owns a cluster, may do everything.
"""


def page() -> str:
    """The whole document."""
    for name in _MODULES:
        importlib.import_module(f"tests.integration.tenants.{name}")
    hostile: Any = importlib.import_module("tests.integration.tenants.hostile")
    rows = [f"| {one.way} | {one.what} | {one.meets} |" for one in hostile.TRIES]
    return _HEAD + "\n".join(rows) + "\n" + _FOOT


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or compares; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare and write nothing")
    options = parser.parse_args(arguments)
    wanted = page()
    if PAGE.exists() and PAGE.read_text() == wanted:
        return 0
    if options.check:
        print(f"{PAGE.name} is not what the tests try; python -m scripts.generate_tenancy")
        return 1
    PAGE.write_text(wanted)
    print(PAGE.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
