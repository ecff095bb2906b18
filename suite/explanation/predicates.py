"""Predicate words: those on the dependency path between head and tail of a gold triple."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from suite.modelling.parsers import BATCH, CHAIN, SpacyParser, load_pipeline
from suite.tasks.examples import Sentence, Span

PENN = frozenset({"NN", "NNP", "VB", "JJ"})
"""A tagger that has these labels tags parts of speech as the Penn Treebank does."""
_PREDICATE_TAG = re.compile(r"VB|JJ|NNS?(_|$)")
"""Verbs, adjectives and common nouns; a treebank joins the tags of words written as one by `_`."""


class Parsed(NamedTuple):
    """A parsed sentence.

    Attributes:
        heads: index of each word's head; a root is its own head.
        tags: part of speech of each word, empty where the pipeline has no tagger.
    """

    heads: Sequence[int]
    tags: Sequence[str]


class TaggedParser(SpacyParser):
    """The parser of a spaCy pipeline, with its tagger where that is one of Penn Treebank tags.

    Args:
        pipeline: as `spacy.load` gives it.

    Raises:
        SuiteError: none of its components is a dependency parser.

    Attributes:
        tagged: whether there is such a tagger.
    """

    def __init__(self, pipeline: Any) -> None:
        super().__init__(pipeline)
        taggers = [
            name
            for name in pipeline.component_names
            if "token.tag" in pipeline.get_pipe_meta(name).assigns
            and set(pipeline.get_pipe(name).labels) >= PENN
        ]
        self.tagged = bool(taggers)
        if self.tagged and taggers[0] not in pipeline.pipe_names:
            pipeline.enable_pipe(taggers[0])

    @property
    def rule(self) -> str:
        """How predicate words are found, as a sentence without a full stop."""
        kind = (
            "that is tagged as a verb, an adjective or a common noun"
            if self.tagged
            else "(of whatever part of speech: the pipeline has no tagger of Penn Treebank tags)"
        )
        return (
            "a word on the shortest path between head and tail of a gold triple in the dependency "
            f"tree, outside all entities, {kind}, and neither function word nor punctuation. Trees "
            f"and tags: {self.source}"
        )

    def parse(self, sentences: Sequence[Sequence[str]]) -> list[Parsed]:
        """Trees and tags of sentences, whose words are kept as they are."""
        documents = self._pipeline.pipe(self._documents(sentences), batch_size=BATCH)
        return [
            Parsed(
                self._heads_of(document), [token.tag_ if self.tagged else "" for token in document]
            )
            for document in documents
        ]


def find_tagged_parser(name: str) -> TaggedParser | None:
    """The pipeline that `--parser` names; None for `chain`, which is not a parser.

    Raises:
        SuiteError: there is no such pipeline, it does not load, or it has no parser.
    """
    return None if name == CHAIN else TaggedParser(load_pipeline(name))


def predicate_words(sentence: Sentence, parsed: Parsed) -> frozenset[int]:
    """Words on a triple's path that are tagged as predicates are, or that have no tag."""
    return frozenset(
        word
        for triple in sentence.triples
        for word in path_between(parsed.heads, triple.head, triple.tail)
        if not parsed.tags[word] or _PREDICATE_TAG.match(parsed.tags[word])
    )


def path_between(heads: Sequence[int], one: Span, other: Span) -> list[int]:
    """The words of the shortest path from a word of one span to one of the other.

    Both ends are among them. Where spans have several shortest paths, that of their first words;
    empty where no tree of the forest holds both.
    """
    paths = [_path(heads, a, b) for a in range(*one) for b in range(*other)]
    return min(filter(None, paths), key=len, default=[])


def _path(heads: Sequence[int], one: int, other: int) -> list[int]:
    up, down = _ancestors(heads, one), _ancestors(heads, other)
    common = next((word for word in up if word in down), None)
    if common is None:
        return []
    return [*up[: up.index(common) + 1], *reversed(down[: down.index(common)])]


def _ancestors(heads: Sequence[int], word: int) -> list[int]:
    """The word, its head, the head's head, up to the root."""
    chain = [word]
    while heads[chain[-1]] != chain[-1]:
        chain.append(heads[chain[-1]])
    return chain
