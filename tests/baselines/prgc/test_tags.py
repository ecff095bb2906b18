"""Tags of subjects and objects, and the spans they spell."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.prgc.tags import Tagging, certain_scores, decode_bio, find_spans, tag_words
from suite.tasks.examples import Span

LETTERS = "OBI"


def slow_spans(tags: str) -> list[tuple[int, int]]:
    """First and last word of each span, read from left to right."""
    found: list[list[int]] = []
    for i, tag in enumerate(tags):
        if tag == "B" or (tag == "I" and (i == 0 or tags[i - 1] == "O")):
            found.append([i, i])
        elif tag == "I":
            found[-1][1] = i
    return [(a, b) for a, b in found]


def decoded(*rows: str) -> list[list[tuple[int, int]]]:
    words = max(map(len, rows))
    # What stands at padding must not count: it is spelt as the start of a span.
    tags = torch.tensor([[LETTERS.index(t) for t in row.ljust(words, "B")] for row in rows])
    present = torch.arange(words) < torch.tensor([len(row) for row in rows])[:, None]
    spans, owners = decode_bio(tags, present)
    found: list[list[tuple[int, int]]] = [[] for _ in rows]
    for row, first, last in zip(spans.rows, spans.first, spans.last, strict=True):
        found[row].append((int(first), int(last)))
    for i, (row, first, last) in enumerate(zip(spans.rows, spans.first, spans.last, strict=True)):
        assert (owners == i).nonzero().tolist() == [[row, w] for w in range(first, last + 1)]
    return found


@given(st.lists(st.text("OBI", min_size=1, max_size=8), min_size=1, max_size=4))
@settings(max_examples=150)
def test_spans_are_those_read_from_left_to_right(rows: list[str]) -> None:
    assert decoded(*rows) == [slow_spans(row) for row in rows]


def test_adjacent_spans_stay_two() -> None:
    assert tag_words(4, [Span(0, 1), Span(1, 3)], "bio") == [1, 1, 2, 0]
    assert decoded("BBIO", "II", "OIB") == [[(0, 0), (1, 2)], [(0, 1)], [(1, 1), (2, 2)]]


def test_of_overlapping_spans_the_longer_is_tagged() -> None:
    spans = [Span(1, 2), Span(0, 3), Span(2, 5), Span(4, 6)]
    for given_spans in (spans, spans[::-1]):
        assert tag_words(6, given_spans, "bio") == [1, 2, 2, 0, 1, 2]


def test_ends_hold_nested_spans_of_other_starts_apart() -> None:
    assert tag_words(4, [Span(0, 4), Span(2, 3)], "ends") == [1, 0, 3, 2]


@pytest.mark.parametrize("tagging", ["bio", "ends"])
def test_the_score_of_a_span_is_that_of_its_least_certain_tag(tagging: Tagging) -> None:
    torch.manual_seed(0)
    tags = torch.tensor([tag_words(5, [Span(0, 3), Span(3, 4)], tagging)])
    scores = certain_scores(tags, tagging).sign() + torch.rand(1, 5, 3 if tagging == "bio" else 2)
    found = find_spans(scores, torch.ones(1, 5, dtype=torch.bool), tagging)
    assert (found.spans.first.tolist(), found.spans.last.tolist()) == ([0, 3], [2, 3])
    if tagging == "bio":
        certain = scores[0].softmax(1).gather(1, tags.T)[:, 0].tolist()
        expected = [min(certain[:3]), certain[3]]
    else:
        first, last = scores[0].sigmoid().T.tolist()
        expected = [min(first[0], last[2]), min(first[3], last[3])]
    assert found.scores.tolist() == pytest.approx(expected)
