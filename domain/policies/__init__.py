"""What is allowed and what facts mean: pure functions, told the time, never asking it."""
