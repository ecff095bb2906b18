"""Sentences and sizes of blocks that cut tables of their words in every way there is."""

LENGTHS = [1, 1, 3, 3, 3, 5]
"""Words of the sentences."""
AT_ONCE = [1, 7, 12, 10_000]
"""Pairs: a head at a time, a sentence in parts, two sentences together, all that are as long."""
