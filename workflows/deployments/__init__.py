"""One queue a place: what a binding wants becomes what runs, or nothing changes."""
