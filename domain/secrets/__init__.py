"""What secrets are called, who may use which, and what the policies of Vault or OpenBao say."""
