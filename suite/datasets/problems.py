"""Counting what is odd while a file is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from pathlib import Path

from suite.datasets.dataset import Problems, Sample

SAMPLES = 5
KINDS = tuple(field.name for field in fields(Problems) if field.name != "samples")


class ProblemLog:
    """The problems of one split, while they are found.

    Attributes:
        unread: field that no reader knows -> records that have it.
        notes: sentences on how the file was read, for whoever sees a figure of it.
    """

    def __init__(self, path: Path) -> None:
        self.file = path.name
        self.counts: Counter[str] = Counter()
        self.samples: list[Sample] = []
        self.unread: Counter[str] = Counter()
        self.notes: list[str] = []

    def add(self, kind: str, record: str, what: str) -> None:
        """Counts one instance, and keeps it in words if it is among the first five of its kind.

        Args:
            kind: a field of `Problems`.
            record: where in the file, as the reader words it (`record 12`, `line 7`).
            what: the instance in words.
        """
        self.counts[kind] += 1
        if self.counts[kind] <= SAMPLES:
            self.samples.append(Sample(self.file, record, f"{kind.replace('_', ' ')}: {what}"))

    def freeze(self) -> Problems:
        """The counts so far."""
        return Problems(**{kind: self.counts[kind] for kind in KINDS}, samples=tuple(self.samples))
