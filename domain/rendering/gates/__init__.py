"""What runs the tests of a gate on a plane: a Job, or an Argo Workflow of a template."""
