"""Looking after planes."""
