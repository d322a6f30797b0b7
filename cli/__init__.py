"""The command ``pavane``: the field's own verbs over the HTTP API."""

import sys

# httpx would load a command line of its own: a second click, and pygments.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None = not to be imported
