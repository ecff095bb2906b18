"""The corpora that the suite makes itself."""
