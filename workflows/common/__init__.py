"""What every procedure is made of: calls, undo, progress, facts, safe points, parking."""
