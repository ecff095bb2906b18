"""Tests of the package `runners`."""
