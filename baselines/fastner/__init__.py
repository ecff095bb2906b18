"""FastNER."""
