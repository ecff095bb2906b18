"""Tests of the readers and the registry."""
