"""BIOES tags against a slow re-statement, and spans -> tags -> spans."""

from __future__ import annotations

import re
from itertools import pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.modelling.bioes import TAGS, decode_tags, tag_spans
from suite.modelling.cascade import Spans
from suite.tasks.examples import Span

TAG_ROWS = st.lists(st.text("".join(TAGS), max_size=12), min_size=1, max_size=4)


@st.composite
def separate_spans(draw: st.DrawFn) -> tuple[int, list[Span]]:
    """A length, and spans that do not overlap, in any order."""
    bounds = sorted(draw(st.sets(st.integers(0, 14), min_size=2, max_size=8)))
    drawn = [Span(a, b) for a, b in pairwise(bounds) if draw(st.booleans())]
    return draw(st.integers(max(1, bounds[-1]), 16)), draw(st.permutations(drawn))


def as_rows(spans: Spans, rows: int) -> list[list[Span]]:
    assert not spans.classes.any()
    found: list[list[Span]] = [[] for _ in range(rows)]
    columns = (spans.rows.tolist(), spans.first.tolist(), spans.last.tolist())
    for row, first, last in zip(*columns, strict=True):
        found[row].append(Span(first, last + 1))
    return found


def decode(texts: list[str], fill: str = "O") -> list[list[Span]]:
    """The decoder on rows of letters, padded with any letter at all."""
    longest = max(1, *map(len, texts))
    tags = torch.tensor([[TAGS.index(c) for c in row.ljust(longest, fill)] for row in texts])
    mask = torch.arange(longest) < torch.tensor([len(row) for row in texts])[:, None]
    return as_rows(decode_tags(tags, mask), len(texts))


def spell(length: int, spans: list[Span]) -> str:
    return "".join(TAGS[c] for c in tag_spans([length], [spans]).values.tolist())


@given(TAG_ROWS, st.sampled_from(TAGS))
def test_spans_are_those_that_a_pattern_finds(texts: list[str], fill: str) -> None:
    expected = [[Span(*m.span()) for m in re.finditer("S|BI*E", row)] for row in texts]
    assert decode(texts, fill) == expected


@given(st.lists(separate_spans(), min_size=1, max_size=4))
def test_spans_that_do_not_overlap_come_back(rows: list[tuple[int, list[Span]]]) -> None:
    lengths, spans = [n for n, _ in rows], [s for _, s in rows]
    packed = tag_spans(lengths, spans)
    assert packed.lengths.tolist() == lengths
    assert as_rows(decode_tags(packed.padded(), packed.mask()), len(rows)) == [
        sorted(s) for s in spans
    ]


def test_the_letters() -> None:
    assert spell(8, [Span(7, 8), Span(0, 4), Span(5, 7), Span(7, 8)]) == "BIIEOBES"
    assert spell(2, []) == "OO"


def test_of_overlapping_spans_the_longer_wins_then_the_earlier() -> None:
    short, long, last = Span(0, 2), Span(1, 4), Span(3, 6)
    for spans in ([short, long, last], [last, long, short]):
        assert spell(6, spans) == "OBIEOO", "the longer of two, the earlier of two equal ones"
    assert spell(6, [short, last]) == "BEOBIE"
    assert spell(4, [Span(2, 3), Span(0, 4)]) == "BIIE"


def test_no_sentence_and_no_span() -> None:
    nothing = tag_spans([], [])
    assert len(nothing) == 0
    assert decode(["OOO", "BII", "IEE"]) == [[], [], []]
