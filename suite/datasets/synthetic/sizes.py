"""Synthetic sentences of any length with any number of relations, to measure costs by."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import cast

from suite.datasets.synthetic.grammar import PATTERNS
from suite.datasets.synthetic.triples import make_dataset
from suite.datasets.synthetic.writer import TYPES
from suite.tasks.examples import Entity, Sentence, Span, Triple
from suite.tasks.schema import Schema

_OWN = {pattern.relations[0]: i for i, pattern in enumerate(PATTERNS)}


def sentences_of_size(
    words: int, relations: int, sentences: int, seed: int = 0
) -> tuple[Schema, list[Sentence]]:
    """Sentences of the synthetic corpus, joined and cut to one length; equal arguments, equal ones.

    Triples grow in number with the length. The corpus's relations are split into as many as are
    wanted, among which a triple's is drawn, or joined to fewer.

    Args:
        words: of each sentence.
        relations: of the schema.
        sentences: how many.
        seed: any integer.
    """
    names = tuple(f"relation_{i}" for i in range(relations))
    types: defaultdict[str, set[str]] = defaultdict(set)
    for i in range(max(relations, len(PATTERNS))):
        types[names[i % relations]].add(PATTERNS[i % len(PATTERNS)].head)
    schema = Schema("triples", names, TYPES, {name: frozenset(types[name]) for name in names})
    wanted = sentences * (words // 6 + 1)
    source = iter(make_dataset(seed, train=wanted, dev=1, test=1).train.examples)
    draws = Random(f"sizes {words} {relations} {seed}")
    made = []
    for number in range(sentences):
        text: list[str] = []
        triples: list[Triple] = []
        entities: list[Entity] = []
        while len(text) < words:
            part, begun = cast("Sentence", next(source)), len(text)
            entities += (e._replace(span=_shifted(e.span, begun)) for e in part.entities)
            for head, pattern, tail in part.triples:
                relation = names[_drawn(_OWN[pattern], relations, draws)]
                triples.append(Triple(_shifted(head, begun), relation, _shifted(tail, begun)))
            text += part.words
        inside = tuple(t for t in triples if max(t.head.end, t.tail.end) <= words)
        within = tuple(e for e in entities if e.span.end <= words)
        made.append(Sentence(str(number), tuple(text[:words]), inside, within))
    return schema, made


def _shifted(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)


def _drawn(pattern: int, relations: int, draws: Random) -> int:
    """One of the relations that a pattern's are split into."""
    return draws.choice(range(pattern, relations, len(PATTERNS)) or [pattern % relations])
