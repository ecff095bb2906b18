"""Synthetic sentences of any length with any number of relations, to measure costs by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import cast

from suite.datasets.synthetic.grammar import PATTERNS
from suite.datasets.synthetic.triples import make_dataset
from suite.datasets.synthetic.writer import TYPES
from suite.tasks.examples import Entity, Sentence, Span, Triple
from suite.tasks.schema import Schema

_OWN = {pattern.relations[0]: i for i, pattern in enumerate(PATTERNS)}
_TRIES = 50
"""Sentences of the corpus that are looked at for each triple that is wanted."""


def sentences_of_size(
    words: int, relations: int, sentences: int, *, triples: int | None = None, seed: int = 0
) -> tuple[Schema, list[Sentence]]:
    """Sentences of the synthetic corpus, joined and cut to one length; equal arguments, equal ones.

    The corpus's relations are split into as many as are wanted, among which a triple's is drawn, or
    joined to fewer.

    Args:
        words: of each sentence.
        relations: of the schema.
        sentences: how many.
        triples: of each sentence, or fewer where it has no room for them; what follows them is
            words that name nothing. None: as many as the corpus has in so many words.
        seed: any integer.
    """
    names = tuple(f"relation_{i}" for i in range(relations))
    types: defaultdict[str, set[str]] = defaultdict(set)
    for i in range(max(relations, len(PATTERNS))):
        types[names[i % relations]].add(PATTERNS[i % len(PATTERNS)].head)
    schema = Schema("triples", names, TYPES, {name: frozenset(types[name]) for name in names})
    wanted = sentences * (words // 3 + 1 + _TRIES * (triples or 0))
    corpus = make_dataset(seed, train=wanted, dev=1, test=1).train.examples
    source = (cast("Sentence", example) for example in corpus)
    draws = Random(f"sizes {words} {relations} {seed}")
    made = []
    for number in range(sentences):
        parts = _parts(source, words) if triples is None else _few(source, words, triples)
        text: list[str] = []
        found: list[Triple] = []
        entities: list[Entity] = []
        for part in parts:
            begun = len(text)
            entities += (e._replace(span=_shifted(e.span, begun)) for e in part.entities)
            for head, pattern, tail in part.triples:
                relation = names[_drawn(_OWN[pattern], relations, draws)]
                found.append(Triple(_shifted(head, begun), relation, _shifted(tail, begun)))
            text += part.words
        inside = tuple(t for t in found if max(t.head.end, t.tail.end) <= words)
        within = tuple(e for e in entities if e.span.end <= words)
        made.append(Sentence(str(number), tuple(text[:words]), inside, within))
    return schema, made


def _parts(source: Iterator[Sentence], words: int) -> list[Sentence]:
    """The next sentences, until they have as many words."""
    parts: list[Sentence] = []
    while sum(len(part.words) for part in parts) < words:
        parts.append(next(source))
    return parts


def _few(source: Iterator[Sentence], words: int, triples: int) -> list[Sentence]:
    """Sentences that have so many triples and room for them, then what names nothing."""
    parts: list[Sentence] = []
    room, left = words, triples
    for part in islice(source, _TRIES * triples):
        if 0 < len(part.triples) <= left and len(part.words) <= room:
            parts.append(part)
            room, left = room - len(part.words), left - len(part.triples)
        if not left:
            break
    return parts + _parts(map(_naming_nothing, source), room)


def _naming_nothing(sentence: Sentence) -> Sentence:
    named = {i for e in sentence.entities for i in range(e.span.start, e.span.end)}
    kept = tuple(word for i, word in enumerate(sentence.words) if i not in named)
    return Sentence(sentence.id, kept, (), ())


def _shifted(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)


def _drawn(pattern: int, relations: int, draws: Random) -> int:
    """One of the relations that a pattern's are split into."""
    return draws.choice(range(pattern, relations, len(PATTERNS)) or [pattern % relations])
