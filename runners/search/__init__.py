"""Structure searches."""
