"""From one environment to the next through gates, and back."""
