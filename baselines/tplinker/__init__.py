"""TPLinker."""
