"""What several activities share: reading, statuses, heartbeats, shared watches, time."""
