"""What is asked of a system: examples, schema, matching and scoring."""
