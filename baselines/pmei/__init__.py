"""PMEI."""
