"""Claims of papers held against evidence: what runs left, without the words of their data."""
