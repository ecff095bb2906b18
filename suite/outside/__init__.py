"""Predictions of systems that were not trained here: read, fitted to the examples, and scored."""
