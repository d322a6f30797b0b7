"""``python -m cli`` is ``pavane``."""

from __future__ import annotations

from cli.main import main

main()
