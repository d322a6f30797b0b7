"""What runs on planes, asked for through their task queues."""
