"""FastRE."""
