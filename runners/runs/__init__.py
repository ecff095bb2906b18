"""One run: its plan, its training, its measurements."""
