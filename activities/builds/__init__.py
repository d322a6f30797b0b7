"""Effects and readings of builds, on the control plane and on build planes."""
