"""The synthetic corpus of the task `ner`: typed spans, flat and within one another.

Sentences are those of the corpus for `triples` (`synthetic`), but some names hold other names:
`University of Lumis`, of type ORG, holds `Lumis`, of type LOC.
"""

from __future__ import annotations

from collections.abc import Sequence

from suite.datasets.dataset import Dataset
from suite.datasets.synthetic.grammar import NESTINGS, vocabulary
from suite.datasets.synthetic.names import Draws, Names
from suite.datasets.synthetic.splits import make_corpus
from suite.datasets.synthetic.writer import KINDS, TYPES, Kind, Writer, put_names
from suite.tasks.examples import Entity, Sentence, Span
from suite.tasks.schema import Schema

SHORTEST, LONGEST = 6, 45
"""Words of a sentence."""
DEPTH = 3
"""Spans that may lie within one another, the outermost counted."""

_NESTED, _DEEPER = 0.3, 0.25


def make_spans(seed: int = 13, train: int = 800, dev: int = 200, test: int = 400) -> Dataset:
    """Makes the corpus; equal arguments give it byte for byte.

    Splits are drawn apart: a larger train set begins with the smaller one, and changes neither dev
    nor test.

    Args:
        seed: any integer; another one gives other sentences and names. The default is the first
            whose 800 sentences have all words of dev and test that are part of no name.
        train: number of training sentences.
        dev: number of dev sentences.
        test: number of test sentences.

    Raises:
        SuiteError: a split of less than one sentence.
    """
    schema = Schema(task="ner", relations=(), entity_types=TYPES, head_types={}, nested=True)
    sizes = {"train": train, "dev": dev, "test": test}
    reserved = vocabulary(wording for group in NESTINGS.values() for wording in group)
    return make_corpus(
        "synthetic-spans", "Synthetic spans", schema, seed, sizes, _sentence, reserved
    )


def _sentence(draws: Draws, names: Names, id: str) -> Sentence | None:
    """A sentence with the spans of all mentions, also of those that a name holds."""
    writer = _Writer(draws, names, KINDS)
    words, mentions = put_names(writer.write(), lambda entity: writer.entities[entity][1])
    if not SHORTEST <= len(words) <= LONGEST:
        return None
    entities: list[Entity] = []
    for entity, span in mentions:
        entities.append(Entity(span, writer.entities[entity][0]))
        entities += _shifted(writer.within[entity], span.start)
    return Sentence(id, tuple(words), entities=tuple(entities))


class _Writer(Writer):
    """Writes one sentence, some of whose names hold others.

    Attributes:
        within: of each entity, what its name holds; spans count the words of the name.
    """

    def __init__(self, draws: Draws, names: Names, kinds: Sequence[Kind]) -> None:
        super().__init__(draws, names, kinds)
        self.within: list[list[Entity]] = []

    def _name(self, kind: str) -> tuple[str, ...]:
        words, within = self._build(kind, [])
        self.within.append(within)
        return words

    def _build(self, kind: str, around: list[str]) -> tuple[tuple[str, ...], list[Entity]]:
        """A name and what it holds, inside names of the wordings `around`."""
        chance = _DEEPER if around else _NESTED
        if len(around) + 1 == DEPTH or not self._draws.chance(chance):
            return super()._name(kind), []
        words: list[str] = []
        within: list[Entity] = []
        wording = self._draws.pick([w for w in NESTINGS[kind] if w not in around])
        for token in wording.split():
            if not token.startswith("@"):
                words.append(token)
                continue
            inner, deeper = self._build(token[1:], [*around, wording])
            within.append(Entity(Span(len(words), len(words) + len(inner)), token[1:]))
            within += _shifted(deeper, len(words))
            words += inner
        return tuple(words), within

    def _cued(self, entity: str) -> str:
        """A name that holds others says its type itself."""
        return entity if self.within[int(entity[1:])] else super()._cued(entity)


def _shifted(entities: list[Entity], by: int) -> list[Entity]:
    return [Entity(Span(span.start + by, span.end + by), kind) for span, kind in entities]
