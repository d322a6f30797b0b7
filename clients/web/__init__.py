"""Web servers that are asked single questions: of metrics, of logs, and whether one answers."""

from clients.web.asker import ANONYMOUS, Asker, asker_of
from clients.web.loki import LogEntry, Loki
from clients.web.probes import ProbeAnswer, Probes
from clients.web.prometheus import Prometheus
from clients.web.reader import Web

__all__ = [
    "ANONYMOUS",
    "Asker",
    "LogEntry",
    "Loki",
    "ProbeAnswer",
    "Probes",
    "Prometheus",
    "Web",
    "asker_of",
]
