"""Which activities each task queue serves, made of the outside systems of one process."""

from activities.serving.control import control
from activities.serving.gates import gates
from activities.serving.outside import Activities, Outside, Queues
from activities.serving.plane import plane
from activities.serving.secrets import secrets
from activities.serving.vault import plane_store

__all__ = [
    "Activities",
    "Outside",
    "Queues",
    "control",
    "gates",
    "plane",
    "plane_store",
    "secrets",
]
