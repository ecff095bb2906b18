"""What the commands can be asked for: every option once, as a field of a dataclass."""
