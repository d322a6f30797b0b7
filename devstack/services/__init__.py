"""What a full stack has besides its node: scheduling, names, metrics, workflows, images, a gateway."""
