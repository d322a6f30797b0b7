from __future__ import annotations

from benchmarks.usage import requests_of, to_control_plane, to_plane

METRICS = """\
# HELP apiserver_request_total [STABLE] Counter of apiserver requests
apiserver_request_total{code="200",dry_run="",group="choreo.dev",resource="servicebindings",\
subresource="",verb="GET",version="v1alpha1"} 3
apiserver_request_total{code="404",dry_run="",group="choreo.dev",resource="servicebindings",\
subresource="",verb="GET",version="v1alpha1"} 2
apiserver_request_total{code="200",dry_run="",group="choreo.dev",resource="servicebindings",\
subresource="status",verb="APPLY",version="v1alpha1"} 4
apiserver_request_total{code="0",dry_run="",group="choreo.dev",resource="components",\
subresource="",verb="WATCH",version="v1alpha1"} 9
apiserver_request_total{code="200",dry_run="",group="apps",resource="deployments",\
subresource="",verb="APPLY",version="v1"} 5
apiserver_request_total{code="200",dry_run="",group="",resource="namespaces",\
subresource="",verb="GET",version="v1"} 6
apiserver_request_total{code="200",dry_run="",group="",resource="pods",\
subresource="status",verb="PATCH",version="v1"} 7
apiserver_request_duration_seconds_sum{group="",resource="pods",verb="GET"} 1.5
"""


def test_requests_are_counted_by_verb_and_resource_over_all_codes() -> None:
    found = requests_of(METRICS)

    assert found["GET", "choreo.dev/servicebindings"] == 5
    assert found["APPLY", "choreo.dev/servicebindings/status"] == 4
    assert found["PATCH", "pods/status"] == 7


def test_watches_and_what_controllers_do_are_not_the_platforms_requests() -> None:
    found = requests_of(METRICS)

    assert to_control_plane(found) == 9
    assert to_plane(found) == 11
