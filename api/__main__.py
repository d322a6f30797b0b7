"""``python -m api`` starts the API."""

from __future__ import annotations

from api.main import main

main()
