"""Who may do what: roles and rules, and rights that last for a while."""
