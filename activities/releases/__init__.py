"""What a deployment is made of and what is recorded of it, on the control plane."""
