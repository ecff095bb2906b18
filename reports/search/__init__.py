"""The report of a structure search."""
