"""The health of what runs: looks by the clock, on the control plane and on planes."""
