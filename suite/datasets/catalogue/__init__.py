"""The public datasets that are known by name."""
