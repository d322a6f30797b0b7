"""What happens to every request and answer: limits, problems, metrics, streams, documentation."""
