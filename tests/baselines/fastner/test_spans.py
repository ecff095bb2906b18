"""Targets, biaffine scores, decoding and exit rules against slow re-statements."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.fastner.biaffine import PRIOR, BiaffineSpans, span_mask
from baselines.fastner.exits import ExitRule
from baselines.fastner.spans import (
    Candidates,
    SpanBatch,
    candidates_of,
    decode_entities,
    dense_entities,
    encode_entities,
)
from suite.modelling.encoders import SubwordText
from suite.modelling.ragged import Ragged
from suite.systems.capabilities import OperatingPoint
from suite.tasks.examples import Entity, Span
from tests.corpus import NESTED, SPAN_SCHEMA

TYPES = SPAN_SCHEMA.entity_types
WORDS = 7

Found = list[tuple[int, int, int, float]]


def gold_batch() -> SpanBatch:
    words = Ragged.from_rows([range(len(s.words)) for s in NESTED])
    text = SubwordText(words, subwords=words, owners=words)
    return SpanBatch(text, encode_entities(NESTED, SPAN_SCHEMA))


def test_dense_targets_hold_the_gold_entities_and_nothing_else() -> None:
    tags = dense_entities(gold_batch(), len(TYPES))
    found = [set() for _ in NESTED]
    for row, first, last, kind in tags.nonzero().tolist():
        found[row].add(Entity(Span(first, last + 1), TYPES[kind]))
    assert found == [set(s.entities) for s in NESTED]


def test_spans_lie_within_their_sentence_and_end_behind_their_start() -> None:
    mask = span_mask(torch.tensor([3, 1, 4]), 4)
    for row, length in enumerate([3, 1, 4]):
        for i in range(4):
            for j in range(4):
                assert mask[row, i, j] == (i <= j < length)


def test_scores_are_the_biaffine_form_span_by_span() -> None:
    """h_s(i)^T U_t h_e(j) + w_t^T [h_s(i); h_e(j)] + b_t (Yu et al., equation of r_m)."""
    torch.manual_seed(0)
    layer = BiaffineSpans(inputs=5, width=4, types=3, dropout=0.0)
    torch.nn.init.normal_(layer.start_alone.bias)
    x = torch.randn(2, 6, 5)
    scores = layer(x)
    u = layer.bilinear.weight.view(3, 4, 4)  # type, end, start
    w_end, w_start = layer.bilinear.bias.view(3, 4), layer.start_alone.weight
    for row in range(2):
        for i in range(6):
            start = (layer.start.weight @ x[row, i] + layer.start.bias).clamp(min=0)
            for j in range(6):
                end = (layer.end.weight @ x[row, j] + layer.end.bias).clamp(min=0)
                for t in range(3):
                    expected = sum(
                        end[a] * u[t, a, b] * start[b] for a in range(4) for b in range(4)
                    )
                    expected += w_start[t] @ start + w_end[t] @ end + layer.start_alone.bias[t]
                    assert scores[row, i, j, t].item() == pytest.approx(expected.item(), abs=1e-5)


def test_before_training_hardly_any_span_is_an_entity() -> None:
    torch.manual_seed(0)
    layer = BiaffineSpans(inputs=16, width=8, types=3, dropout=0.0)
    mean = layer(torch.randn(4, 9, 16)).sigmoid().mean().item()
    assert PRIOR / 2 < mean < PRIOR * 2


def clash(one: tuple[int, int], other: tuple[int, int], *, nested: bool) -> bool:
    """Words in common; where nested spans are wanted, without either holding the other."""
    mine, theirs = (set(range(first, last + 1)) for first, last in (one, other))
    if not mine & theirs:
        return False
    return not (nested and (mine <= theirs or theirs <= mine))


def slow_decode(found: Found, *, nested: bool) -> set[tuple[int, int, int]]:
    taken: list[tuple[int, int, int]] = []
    for first, last, kind, _ in sorted(found, key=lambda c: -c[3]):
        if not any(clash((first, last), t[:2], nested=nested) for t in taken):
            taken.append((first, last, kind))
    return set(taken)


def fast_decode(rows: list[Found], *, nested: bool) -> list[list[tuple[int, int, int, float]]]:
    cells = [(row, *c[:3]) for row, found in enumerate(rows) for c in found]
    scores = [c[3] for found in rows for c in found]
    candidates = Candidates(torch.tensor(cells).view(-1, 4), torch.tensor(scores))
    decoded = decode_entities(len(rows), WORDS, candidates, TYPES, nested=nested)
    ids = SPAN_SCHEMA.type_ids
    return [
        [(p.item.span.start, p.item.span.end - 1, ids[p.item.type], p.score) for p in row]
        for row in decoded
    ]


@st.composite
def candidate_rows(draw: st.DrawFn) -> list[Found]:
    """Sentences' candidates, all of different scores."""
    cell = st.tuples(
        st.integers(0, WORDS - 1), st.integers(0, WORDS - 1), st.integers(0, len(TYPES) - 1)
    )
    rows = draw(st.lists(st.lists(cell, unique=True, max_size=12), min_size=1, max_size=3))
    count = sum(map(len, rows))
    ranks = iter(draw(st.permutations(range(count))))
    return [
        [(min(a, b), max(a, b), t, 0.5 + (1 + next(ranks)) / 64) for a, b, t in row] for row in rows
    ]


@pytest.mark.parametrize("nested", [False, True])
@settings(max_examples=300, deadline=None)
@given(rows=candidate_rows())
def test_decoding_takes_the_best_spans_that_do_not_clash(nested: bool, rows: list[Found]) -> None:
    rows = [list({c[:3]: c for c in row}.values()) for row in rows]
    decoded = fast_decode(rows, nested=nested)
    for row, found in zip(rows, decoded, strict=True):
        assert {c[:3] for c in found} == slow_decode(row, nested=nested)
        assert {c[:3]: c[3] for c in found}.items() <= {c[:3]: c[3] for c in row}.items()


@pytest.mark.parametrize(
    ("nested", "kept"),
    [(True, [(1, 3, 0), (2, 3, 1), (1, 3, 2), (0, 5, 0), (2, 2, 0)]), (False, [(1, 3, 0)])],
)
def test_nested_spans_hold_one_another_and_flat_ones_stand_alone(
    nested: bool, kept: list[tuple[int, int, int]]
) -> None:
    found = [
        (1, 3, 0, 0.9),
        (2, 3, 1, 0.8),  # the same last word
        (1, 3, 2, 0.7),  # the same span
        (0, 2, 0, 0.65),  # crosses
        (0, 5, 0, 0.6),
        (3, 4, 0, 0.58),  # crosses
        (2, 2, 0, 0.55),
    ]
    assert [c[:3] for c in fast_decode([found], nested=nested)[0]] == kept


def test_candidates_stand_above_one_half_under_their_own_row() -> None:
    probability = torch.zeros(2, 3, 3, 1)
    probability[0, 0, 1], probability[0, 2, 2], probability[1, 1, 1] = 0.75, 0.5, 0.625
    found = candidates_of(torch.tensor([4, 9]), probability)
    assert found.cells.tolist() == [[4, 0, 1, 0], [9, 1, 1, 0]]
    assert found.scores.tolist() == [0.75, 0.625]


def binary_entropy(p: float) -> float:
    return -sum(q * math.log2(q) for q in (p, 1 - p) if q)


def test_entropy_and_confidence_are_those_of_the_most_uncertain_span() -> None:
    torch.manual_seed(0)
    probability = torch.rand(3, 4, 4, 2) ** 4
    probability[:, 1, 0], probability[2, 3] = 0, 1
    for row in range(3):
        spans = [probability[row, i, j].tolist() for i in range(4) for j in range(4)]
        entropy = max(sum(map(binary_entropy, span)) for span in spans)
        confidence = min(math.prod(max(p, 1 - p) for p in span) for span in spans)
        for rule, value, grows in (("entropy", entropy, 1), ("confidence", confidence, -1)):
            for off, leaves in ((1e-4, True), (-1e-4, False)):
                point = OperatingPoint(rule, value + grows * off)
                left = ExitRule(point).leaving(torch.arange(3), probability)
                assert bool(left[row]) == leaves, (rule, row)


def test_patience_counts_the_layers_that_found_the_same() -> None:
    """Of three sentences: the same throughout; one change; left meanwhile, and one narrower."""
    same, other, none = (torch.zeros(5, 5, 1) for _ in range(3))
    same[1, 2], other[0, 1] = 0.9, 0.8
    rule = ExitRule(OperatingPoint("patience", 3))
    every = torch.arange(3)
    assert rule.leaving(every, torch.stack([same, same, none])).tolist() == [False] * 3
    assert rule.leaving(every, torch.stack([same, other, none])).tolist() == [False] * 3
    assert rule.leaving(every, torch.stack([same, other, none])).tolist() == [True, False, True]
    stays = torch.tensor([1])
    narrower = other[None, :3, :3] * 0.7  # its score has no say
    assert rule.leaving(stays, narrower).tolist() == [True]
