from __future__ import annotations

from typing import Any

import pytest

from domain.rendering.configuration.changes import changed_configuration

pytestmark = pytest.mark.unit


def deployment(**variables: Any) -> dict[str, Any]:
    env = [{"name": name, **_source(value)} for name, value in variables.items()]
    containers = [{"name": "main", "env": env}, {"name": "proxy", "env": env[:1]}]
    return {"kind": "Deployment", "spec": {"template": {"spec": {"containers": containers}}}}


def _source(value: Any) -> dict[str, Any]:
    return {"value": value} if isinstance(value, str) else {"valueFrom": value}


def files(**content: str) -> dict[str, Any]:
    data = {f"{name}-0123abcd": text for name, text in content.items()}
    return {"kind": "ConfigMap", "metadata": {"name": f"web-{len(data)}"}, "data": data}


def test_variables_and_files_that_differ_are_named_and_their_values_are_not() -> None:
    before = [deployment(LOG="info", OLD="x", SAME="s"), files(conf="a", gone="b")]
    after = [deployment(LOG="debug", NEW="hunter2", SAME="s"), files(conf="c")]
    told = changed_configuration(before, after)
    assert told == (
        "~ file conf",
        "- file gone",
        "~ variable LOG",
        "~ variable LOG of container proxy",
        "+ variable NEW",
        "- variable OLD",
    )
    assert changed_configuration(before, before) == ()


def test_a_secret_of_another_version_is_another_value() -> None:
    before = deployment(KEY={"secretKeyRef": {"name": "web", "key": "v1"}})
    after = deployment(KEY={"secretKeyRef": {"name": "web", "key": "v2"}})
    assert changed_configuration([before], [after])[0] == "~ variable KEY"


def test_objects_without_pods_and_pods_without_variables_have_no_configuration() -> None:
    task: dict[str, Any] = {"containers": [{"name": "main"}]}
    job = {"spec": {"template": {"spec": task}}}
    cron = {"kind": "CronJob", "spec": {"jobTemplate": job}}
    assert changed_configuration([], [{"kind": "Service", "spec": {"ports": []}}, cron]) == ()
    task["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    assert changed_configuration([], [cron]) == ("+ variable A",)
