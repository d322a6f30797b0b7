"""What promotions, approvals and rollbacks read, judge and remember."""
