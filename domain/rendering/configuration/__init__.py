"""Which configuration a component has in an environment, and what becomes of it in its pods.

``effective`` says it, with the origin of each value; ``rendered`` makes variables and files of the
container `main` of it; ``secrets`` names the Kubernetes Secret in which values kept in Vault are
expected, so that whoever delivers them and whoever reads them agree without asking each other.
"""
