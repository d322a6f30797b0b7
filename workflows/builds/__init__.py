"""From a commit to a DeployableArtifact, a slot at a time."""
