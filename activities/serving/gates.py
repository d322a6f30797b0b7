"""Calls to systems that nobody here answers for: the task queue ``gates``."""

from __future__ import annotations

from activities.planes.observability import ObservabilityActivities
from activities.promotions.webhooks import WebhookActivities
from activities.serving.outside import Activities
from clients.web import Loki, Prometheus, Web
from settings import Settings


def gates(settings: Settings, web: Web) -> Activities:
    """Calls to systems that nobody here answers for: the task queue ``gates``."""
    worker = settings.worker
    calls = WebhookActivities(worker.gate_keys, worker.gate_calls_of_one, worker.gate_calls)
    return [
        calls.call_gate,
        ObservabilityActivities(Prometheus(web), Loki(web)).ask_observability,
    ]
