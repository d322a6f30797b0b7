"""What routes read of resources, records and procedures."""
