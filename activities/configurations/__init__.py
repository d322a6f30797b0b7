"""Configuration groups: their revisions, who uses them, and the release of a change."""
