"""What an organization is given on clusters: namespace, rights, admission, bounds."""
