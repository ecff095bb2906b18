"""Decoding of tags against a slow re-statement, and gold -> targets -> decode -> gold."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.modelling.batch import Text
from suite.modelling.cascade import (
    MAX_SPAN_WORDS,
    CascadeBatch,
    decode_spans,
    decode_targets,
    encode_targets,
)
from suite.modelling.ragged import Ragged
from suite.tasks.examples import Entity, Sentence, Span, Triple
from tests.corpus import SCHEMA

Tags = list[list[list[bool]]]


@st.composite
def tag_pairs(draw: st.DrawFn) -> tuple[Tags, Tags]:
    rows, words, classes = draw(st.tuples(*[st.integers(1, n) for n in (3, 30, 2)]))
    tags = st.lists(
        st.lists(
            st.lists(st.booleans(), min_size=classes, max_size=classes),
            min_size=words,
            max_size=words,
        ),
        min_size=rows,
        max_size=rows,
    )
    return draw(tags), draw(tags)


def nearest(start: Tags, end: Tags) -> set[tuple[int, int, int, int]]:
    """The nearest end at or after each start, word by word."""
    found = set()
    for r, row in enumerate(start):
        for i, word in enumerate(row):
            for c, tagged in enumerate(word):
                ends = [j for j in range(i, len(row)) if end[r][j][c]]
                if tagged and ends:
                    found.add((r, c, i, ends[0]))
    return found


def until_next_start(start: Tags, end: Tags) -> set[tuple[int, int, int, int]]:
    """Every end before the next start, in spans under 20 words."""
    found = set()
    for r, row in enumerate(start):
        for i, word in enumerate(row):
            for c, tagged in enumerate(word):
                if not tagged:
                    continue
                for j in range(i, len(row)):
                    if (j > i and row[j][c]) or j - i >= MAX_SPAN_WORDS:
                        break
                    if end[r][j][c]:
                        found.add((r, c, i, j))
    return found


def as_set(start: Tags, end: Tags, rule: str) -> set[tuple[int, int, int, int]]:
    spans = decode_spans(torch.tensor(start), torch.tensor(end), rule)  # type: ignore[arg-type]
    columns = (spans.rows, spans.classes, spans.first, spans.last)
    rows = list(zip(*(c.tolist() for c in columns), strict=True))
    assert len(set(rows)) == len(rows), "a span is given once"
    return set(rows)


@given(tag_pairs())
def test_nearest_end(tags: tuple[Tags, Tags]) -> None:
    assert as_set(*tags, "nearest") == nearest(*tags)


@given(tag_pairs())
def test_every_end_up_to_the_next_start(tags: tuple[Tags, Tags]) -> None:
    assert as_set(*tags, "until next start") == until_next_start(*tags)


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    """Sentences whose entities are single words, which every cascade scheme can express."""
    count = draw(st.integers(2, 12))
    place = st.integers(0, count - 1)
    drawn = draw(st.sets(st.tuples(place, st.sampled_from(SCHEMA.relations), place), max_size=6))
    triples = tuple(Triple(Span(h, h + 1), r, Span(t, t + 1)) for h, r, t in sorted(drawn))
    entities = tuple(Entity(t.head, next(iter(SCHEMA.head_types[t.relation]))) for t in triples)
    return Sentence("x", tuple(f"w{i}" for i in range(count)), triples, entities)


def packed(rows: list[Sentence]) -> CascadeBatch:
    words = Ragged.from_rows([range(len(s.words)) for s in rows])
    return CascadeBatch(Text(words), encode_targets(rows, SCHEMA))


@given(st.lists(sentences(), min_size=1, max_size=4))
def test_gold_comes_back_from_its_targets(rows: list[Sentence]) -> None:
    for rule in ("nearest", "until next start"):
        decoded = decode_targets(packed(rows), 2, SCHEMA.relations, rule)  # type: ignore[arg-type]
        assert [{p.item for p in row} for row in decoded] == [set(s.triples) for s in rows]


def test_what_a_scheme_cannot_express_is_lost_alone() -> None:
    """Two tails of one relation that start at the same word: the nearest end wins."""
    words = ("Ada", "lives", "in", "New", "York", "City")
    ada, short, long = Span(0, 1), Span(3, 5), Span(3, 6)
    gold = tuple(Triple(ada, "lives in", tail) for tail in (short, long))
    both = Sentence("x", words, (*gold, Triple(ada, "born in", long)))
    (decoded,) = decode_targets(packed([both]), 2, SCHEMA.relations, "nearest")
    assert {p.item for p in decoded} == {gold[0], Triple(ada, "born in", long)}
