"""CasRel."""
