"""The command ``pavane``: the field's own verbs over the HTTP API."""
