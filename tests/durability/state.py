"""What there is of an organization, without what must differ between two runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from clients.kubernetes import Cluster
from clients.kubernetes.kinds import Kind
from domain.errors import NotFound
from domain.policies.teardown.holds import TEARDOWN
from domain.rendering import labels as names
from domain.resources import KINDS
from domain.secrets.delivery import VERSIONS, is_ours

State = dict[str, list[Any]]
"""Kind -> objects; the operations of Temporal are a kind too."""

_NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)
_ON_PLANES = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("v1", "Secret"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("policy/v1", "PodDisruptionBudget"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("argoproj.io/v1alpha1", "Workflow"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("v1", "ResourceQuota"),
)
_OWN_METADATA = ("name", "namespace", "labels", "annotations", "finalizers", "generation")
_EACH_RUN_DIFFERENT = {
    "seconds": "durations",
    "buildSeconds": "durations",
    "told": "flows that happened to run when a stop changed",
    "pod-template-hash": "made by Kubernetes",
    "choreo.dev/run": "the run of the procedure",
    "clusterIP": "given by Kubernetes",
    "clusterIPs": "given by Kubernetes",
}
_REPLACED = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "<time>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>"),
    (r"sha256:[0-9a-f]{64}", "<digest>"),
    # A request of the intake names the binding that asks by its uid.
    (r"binding-[0-9a-f]{8}-", "binding-<uid>-"),
    # A promotion names what it asks for by its run, so does what waits for its time.
    (r"(promotion|at)-[0-9a-f]{16}(?![0-9a-f])", r"\1-<run>"),
    (r"(config|class)-[0-9a-f]{8}-", r"\1-<run>-"),
    # In JSON a line of a log begins behind the letter n, which is no border of a word.
    (r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", "<hash>"),
    (r"\b(web)-[bcdf-hj-np-tv-z24-9]{6,10}-[bcdf-hj-np-tv-z24-9]{5}\b", r"\1-<pod>"),
    # Its ReplicaSet, whose hash may be shorter and has letters that are no hexadecimal digits.
    (r"\b(web)-[bcdf-hj-np-tv-z24-9]{6,10}\b", r"\1-<hash>"),
    (r"-[0-9a-f]{10}(?![0-9a-zA-Z])", "-<hash>"),
    # What the builder calls a layer that it has just made.
    (r"--> [0-9a-f]{10,12}(?![0-9a-f])", "--> <layer>"),
    (r"restarted \d+ times?", "restarted <n> times"),
    # The builder says it from two processes, of which one may be too late.
    (r"(subprocess exited with status \d+)(\\n\1)+", r"\1"),
    # The plane's clock and ours run for the same deadline: which of them is first is chance.
    (r"ProgressDeadlineExceeded", "DeadlineExceeded"),
    (r"not ready after \d+ s: | within the progress deadline", ""),
)


async def state_of(cluster: Cluster, organization: str) -> State:
    """Everything there is now; pods that are about to go are told as such."""
    found: State = {}
    for name, model in KINDS.items():
        if model.scope == "Namespaced":
            kind = Kind(model.api_version, name, model.plural, namespaced=True)
            listing = await cluster.list(kind, organization)
            found[name] = [_resource(one) for one in listing.items]
    for name in ("BuildPlane", "DataPlane"):
        # Whether a plane answers is looked at all the time, and not when its worker is killed.
        found[name] = [{**one, "status": {}} for one in found[name]]
    own = await cluster.list(_NAMESPACES, labels=f"{names.ORGANIZATION}={organization}")
    found["Namespace"] = [_resource({"metadata": one["metadata"]}) for one in own.items]
    for api_version, name in _ON_PLANES:
        kind = await cluster.kind_of(api_version, name)
        found[f"plane {name}"] = objects = []
        for namespace in own.items:
            there = await _list(cluster, kind, namespace["metadata"]["name"])
            view = _VIEWS.get(name, _resource)
            objects += [view(one) for one in there if not _is_given(one)]
    return normalised(found, organization)


async def _list(cluster: Cluster, kind: Kind, namespace: str) -> list[dict[str, Any]]:
    try:
        return (await cluster.list(kind, namespace)).items
    except NotFound:
        return []


def _is_given(obj: dict[str, Any]) -> bool:
    """Whether somebody else puts it into every namespace."""
    if obj["kind"] == "Secret":
        return not is_ours(obj)
    return bool(obj["kind"] == "ServiceAccount" and obj["metadata"]["name"] == "default")


def _resource(obj: dict[str, Any]) -> dict[str, Any]:
    meta = {key: value for key, value in obj["metadata"].items() if key in _OWN_METADATA}
    if TEARDOWN in meta.get("finalizers", ()):
        # The intake adds it beside the procedure: whether it has already is chance.
        meta["finalizers"] = [one for one in meta["finalizers"] if one != TEARDOWN]
        meta = {key: value for key, value in meta.items() if value != []}
    return {key: value for key, value in obj.items() if key in {"spec", "status"}} | {
        "metadata": meta
    }


def _deployment(obj: dict[str, Any]) -> dict[str, Any]:
    status = obj.get("status", {})
    counted = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
    # Which versions pods began with says nothing more than the secret does, which is compared too.
    template = obj["spec"]["template"]["metadata"]
    template.get("annotations", {}).pop(VERSIONS, None)
    if not template.get("annotations"):
        template.pop("annotations", None)
    return _resource(obj) | {"status": {key: status.get(key, 0) for key in counted}}


def _replica_set(obj: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": _version(obj["spec"]["template"]),
        "replicas": obj["spec"].get("replicas", 0),
        "revision": obj["metadata"]["annotations"].get("deployment.kubernetes.io/revision"),
    }


def _pod(obj: dict[str, Any]) -> dict[str, Any]:
    conditions = obj.get("status", {}).get("conditions") or ()
    return {
        "version": _version(obj),
        "phase": obj.get("status", {}).get("phase"),
        "ready": any(one["type"] == "Ready" and one["status"] == "True" for one in conditions),
        "going": "deletionTimestamp" in obj["metadata"],
    }


def _version(template: dict[str, Any]) -> str:
    variables = template["spec"]["containers"][0].get("env") or ()
    return next((one["value"] for one in variables if one["name"] == "PAVANE_COMMIT"), "")


def _argo(obj: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": obj["metadata"]["name"],
        "phase": obj.get("status", {}).get("phase"),
        "shutdown": obj["spec"].get("shutdown", ""),
    }


def _service(obj: dict[str, Any]) -> dict[str, Any]:
    return _resource({**obj, "status": {}})


def _secret(obj: dict[str, Any]) -> dict[str, Any]:
    meta = obj["metadata"]
    told = {"name": meta["name"], "versions": meta["annotations"].get(VERSIONS)}
    return {**told, "keys": sorted(obj.get("data") or ())}


def _role_binding(obj: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": obj["metadata"]["name"],
        "subjects": [one["name"] for one in obj.get("subjects") or ()],
    }


_VIEWS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "Pod": _pod,
    "Workflow": _argo,
    "HTTPRoute": _service,
    "Service": _service,
    "Secret": _secret,
    "RoleBinding": _role_binding,
}


def normalised(found: State, organization: str) -> State:
    """The same for two runs that came to the same; lists of a kind are sorted."""
    clean: State = {}
    for kind, objects in found.items():
        texts = [_text(one, organization) for one in objects]
        clean[kind] = [json.loads(text) for text in sorted(texts)]
    return clean


def _text(obj: Any, organization: str) -> str:
    text = json.dumps(_without(obj), sort_keys=True, default=str).replace(organization, "<org>")
    for pattern, replacement in _REPLACED:
        text = re.sub(pattern, replacement, text)
    return text


def _without(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_without(each) for each in value]
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if key not in _EACH_RUN_DIFFERENT}
        return {key: _without(each) for key, each in kept.items()}
    return value


def differences(expected: State, actual: State) -> list[str]:
    """What is there that should not be, and what is not that should; one line each."""
    lines = []
    for kind in sorted(expected.keys() | actual.keys()):
        wanted = [json.dumps(one, sort_keys=True) for one in expected.get(kind, ())]
        present = [json.dumps(one, sort_keys=True) for one in actual.get(kind, ())]
        missing, extra = _minus(wanted, present), _minus(present, wanted)
        if len(missing) == len(extra):
            for old, new in zip(missing, extra, strict=True):
                lines += [f"{kind}: {each}" for each in _changes(json.loads(old), json.loads(new))]
        else:
            lines += [f"{kind}: missing {one[:600]}" for one in missing]
            lines += [f"{kind}: extra {one[:600]}" for one in extra]
    return lines


def _minus(left: list[str], right: list[str]) -> list[str]:
    rest = list(right)
    kept = []
    for one in left:
        if one in rest:
            rest.remove(one)
        else:
            kept.append(one)
    return kept


def _changes(old: Any, new: Any, path: str = "") -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in sorted(old.keys() | new.keys()):
            found += _changes(old.get(key), new.get(key), f"{path}.{key}")
        return found
    if old == new:
        return []
    if isinstance(old, str) and isinstance(new, str) and "\n" in old:
        # Of a long text only the lines in which it differs.
        lines = old.splitlines(), new.splitlines()
        old, new = (_minus(one, other) for one, other in (lines, lines[::-1]))
    return [f"{path}: {old!r} became {new!r}"[:600]]


def running(state: State) -> State:
    """What runs on the planes, whatever it took to get there: no counters, no old replica sets."""
    return {
        "pod": [pod for pod in state["plane Pod"] if pod["phase"] in {"Running", "Pending"}],
        "deployment": [
            {"spec": one["spec"], "status": one["status"]} for one in state["plane Deployment"]
        ],
        "service": [one["spec"] for one in state["plane Service"]],
        "route": [one["spec"] for one in state["plane HTTPRoute"]],
        "build": [one for one in state["plane Workflow"] if one["phase"] in {"Running", "Pending"}],
    }
