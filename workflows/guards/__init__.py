"""What holds flows up on purpose: emergency stops and freezes."""
