"""The figures of a suite's report."""
