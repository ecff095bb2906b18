"""The sections of a suite's report."""
