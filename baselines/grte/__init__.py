"""GRTE."""
