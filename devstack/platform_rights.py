"""Who Pavane's processes are in the cluster: users with the rights of their roles, no more."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from devstack.certificates import Request
from devstack.context import StackContext
from devstack.pki import write_kubeconfig
from devstack.services.cluster import Manifest, api_server

ROLES = Path(__file__).parent.parent / "charts/pavane/files/roles.yaml"
PROCESSES: Mapping[str, tuple[str, ...]] = {
    "api": ("api",),
    "worker": ("orchestration", "control", "intake", "plane", "secrets", "planes"),
}
"""The processes of the stack and the roles each of them has."""
_LEADING = {
    "apiGroups": ["coordination.k8s.io"],
    "resources": ["leases"],
    "verbs": ["create", "get", "list", "patch", "update", "watch"],
}
_LEASES_IN = "pavane-system"
_AGGREGATED = "choreo.dev/aggregate-to-plane"
"""The label of a ClusterRole with rights on kinds that classes make besides."""


def identity(context: StackContext, process: str) -> dict[str, str]:
    """The variables by which a process of the platform is known to the API server."""
    kubeconfig = context.state.config / f"pavane-{process}.kubeconfig"
    certificate = context.pki.issue(f"pavane-{process}", Request(_user(process)))
    write_kubeconfig(kubeconfig, api_server(context), certificate)
    return {"KUBECONFIG": str(kubeconfig), "PAVANE_KUBERNETES__KUBECONFIG": str(kubeconfig)}


def rights() -> list[Manifest]:
    """What lets the platform's processes do what they do, namespaces first."""
    roles = yaml.safe_load(ROLES.read_text())
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _LEASES_IN}}
    made: list[Manifest] = [namespace]
    for process, names in PROCESSES.items():
        rules = [rule for name in names for rule in roles[name]]
        made += _granted("ClusterRole", process, {"rules": rules})
    made += _granted("Role", "worker", {"rules": [_LEADING]}, namespace=_LEASES_IN)
    # Kubernetes fills in the rules.
    selected = {"clusterRoleSelectors": [{"matchLabels": {_AGGREGATED: "true"}}]}
    more = {"aggregationRule": selected}
    return made + _granted("ClusterRole", "worker", more, name="pavane-worker-more")


def _granted(kind: str, process: str, rules: Mapping[str, object], **place: str) -> list[Manifest]:
    group = "rbac.authorization.k8s.io"
    metadata = {"name": f"pavane-{process}", **place}
    return [
        {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, **rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": kind, "name": metadata["name"]},
            "subjects": [{"apiGroup": group, "kind": "User", "name": _user(process)}],
        },
    ]


def _user(process: str) -> str:
    return f"pavane:{process}"
