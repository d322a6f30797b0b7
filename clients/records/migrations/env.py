"""Runs migrations on the connection it is given; there is no other way to run them."""

from __future__ import annotations

from alembic import context

from clients.records.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
context.run_migrations()
