"""Revisions of classes and who follows them."""
