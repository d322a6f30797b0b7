"""Rights that people have for a while."""
