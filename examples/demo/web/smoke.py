"""The smoke test of a gate: asks the service where it runs, as its neighbours would."""

from __future__ import annotations

import json
import sys
from urllib.request import urlopen


def main() -> int:
    """Returns 0 when the service greets."""
    with urlopen("http://web:8080/", timeout=10) as answer:
        said = json.load(answer)
    print(f"{said['greeting']} from commit {said['commit']}")
    return 0 if said["greeting"] else 1


if __name__ == "__main__":
    sys.exit(main())
