"""Trains, times, tracks and schedules runs; holds the command lines."""
