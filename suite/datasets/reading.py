"""What a reader is told besides its file, and where it says what is odd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from suite.datasets.dataset import TypeMap
from suite.datasets.problems import ProblemLog

SplitText = Callable[[str], Sequence[str]]
"""Makes the words of a text that its file does not split."""


@dataclass(frozen=True)
class Reading:
    """The circumstances of reading one split.

    Attributes:
        problems: the log of what is odd.
        types: entity types of relations, for formats without types.
        split_text: makes words of raw text; at white space unless asked otherwise.
        labels: names of numbered tags, for formats that number them; None: not known.
    """

    problems: ProblemLog
    types: TypeMap = field(default_factory=dict)
    split_text: SplitText = str.split
    labels: tuple[str, ...] | None = None
