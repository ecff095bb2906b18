"""Dependency trees: from a spaCy pipeline, or a chain of words where there is none."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from suite.errors import SuiteError

CHAIN = "chain"
"""The name of what stands in for a parser: every word depends on the one before it."""


class DependencyParser(ABC):
    """Gives each word of a sentence the word that it depends on.

    Attributes:
        source: what it is, as reports print it.
    """

    source: str

    @abstractmethod
    def heads(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        """For each sentence the index of each word's head; a root is its own head."""


class Chain(DependencyParser):
    """No parser: words in a row, for data on which no parser was trained."""

    source = "no parser: a chain of words"

    def heads(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        """Every word depends on the one before it."""
        return [[max(0, i - 1) for i in range(len(words))] for words in sentences]


def find_parser(name: str, *, cached: bool = True) -> DependencyParser:
    """The parser that `--parser` names.

    Args:
        name: `chain`, or a spaCy pipeline by package name or folder.
        cached: whether trees are looked up on disk first and kept there.

    Raises:
        SuiteError: there is no such pipeline, or it has no parser.
    """
    if name == CHAIN:
        return Chain()
    raise SuiteError(f"no parser {name!r}")
