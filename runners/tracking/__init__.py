"""Trackers: who else is told of a run, beside the files that it always leaves."""
