"""PRGC."""
