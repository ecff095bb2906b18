"""What runs, suites and searches leave behind; importable without torch."""
