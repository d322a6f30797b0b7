"""Files of the configuration that pods find changed without being replaced.

They lie in one ConfigMap whose name and place in the pod template never change with the content.
Its folders are mounted whole: a file that is mounted by itself would never change in a pod.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from domain import ids
from domain.errors import InvalidRequest
from domain.rendering.configuration.maps import files_map, key_of
from domain.rendering.configuration.rendered import plain_files
from domain.rendering.facts import ReleaseFacts
from domain.resources.component import ConfigurationUpdates

_VOLUME = "pavane-live"
_DEEP_ENOUGH = 2


def live_files(facts: ReleaseFacts) -> dict[str, str]:
    """Returns path -> content of the files that change in running pods; empty for most components.

    Raises:
        InvalidRequest: The configuration cannot be used.
    """
    if facts.component.spec.configuration_updates is not ConfigurationUpdates.LIVE:
        return {}
    own = {one.path for one in facts.binding.spec.workload.files}
    return {path: text for path, text in sorted(plain_files(facts).items()) if path not in own}


def live_config_map(facts: ReleaseFacts) -> dict[str, Any] | None:
    """Returns the ConfigMap, None for a component without such files.

    Raises:
        InvalidRequest: The files are too large together.
    """
    content = live_files(facts)
    if not content:
        return None
    return files_map(facts, _name(facts), content, "live files", immutable=False)


def mount_live(facts: ReleaseFacts, spec: dict[str, Any], others: Collection[str]) -> None:
    """Adds a volume a folder to the spec of a pod whose first container is the component's own.

    ``others`` are the paths of its files that do not change in running pods.

    Raises:
        InvalidRequest: A folder holds something else as well.
    """
    for number, (folder, paths) in enumerate(_folders(facts, others)):
        name = f"{_VOLUME}-{number}"
        items = [{"key": key_of(path), "path": path.rpartition("/")[2]} for path in paths]
        volume = {"name": name, "configMap": {"name": _name(facts), "items": items}}
        spec["volumes"] = [*(spec.get("volumes") or ()), volume]
        own = spec["containers"][0]
        mounted = {"name": name, "mountPath": folder, "readOnly": True}
        own["volumeMounts"] = [*(own.get("volumeMounts") or ()), mounted]


def _folders(facts: ReleaseFacts, others: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    by_folder: defaultdict[str, list[str]] = defaultdict(list)
    for path in live_files(facts):
        by_folder[path.rpartition("/")[0]].append(path)
    for folder, paths in by_folder.items():
        if folder.count("/") < _DEEP_ENOUGH:
            raise InvalidRequest(
                f"the file {paths[0]} of {facts.component.name} is to change in running pods: "
                "give it a folder of its own, such as /etc/app/live, which is mounted whole"
            )
        within = [one for one in (*others, *by_folder) if one.startswith(f"{folder}/")]
        if within:
            raise InvalidRequest(
                f"{paths[0]} and {within[0]} of {facts.component.name} cannot both be mounted: the "
                "folder of a file that changes in running pods holds such files only"
            )
        yield folder, paths


def _name(facts: ReleaseFacts) -> str:
    return ids.content_name(f"{facts.component.name}-live", ["live", facts.component.name])
