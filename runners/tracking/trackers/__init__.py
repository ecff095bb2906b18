"""The trackers there are, a module each, which is called as `--tracker` calls it."""
