"""Temporal glue shared by workers, API and tests: plugin, errors, search attributes, client."""
