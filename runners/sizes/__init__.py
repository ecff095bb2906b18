"""Studies of cost by size: measured, one process each."""
