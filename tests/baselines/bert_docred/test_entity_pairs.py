"""Pairs of entities and the split bilinear layer against slow re-statements."""

from __future__ import annotations

import dataclasses
from collections import Counter
from itertools import permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.bert_docred.entity_pairs import (
    BUCKETS,
    BilinearClassifier,
    EntityVectors,
    all_pairs,
    distance_buckets,
    draw_pairs,
    pack_entities,
)
from suite.tasks.examples import Fact, Span
from tests.corpus import BORN, DOCUMENTS, LIVES, PART, SENTENCES

SIZES = st.lists(st.integers(0, 5), min_size=1, max_size=6)
WORDS = [len(d.words) for d in DOCUMENTS]


def rows_of(sizes: list[int]) -> torch.Tensor:
    return torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))


def some_entities(sizes: list[int], width: int, dtype: torch.dtype) -> EntityVectors:
    rows = rows_of(sizes)
    first = torch.randint(0, 400, (len(rows),))
    spans = torch.stack([first, first + 1], 1)
    return EntityVectors(
        rows, torch.arange(len(rows)), spans, torch.randn(len(rows), width).to(dtype)
    )


@settings(deadline=None, max_examples=60)
@given(SIZES)
def test_pairs_are_all_permutations_of_two(sizes: list[int]) -> None:
    rows = rows_of(sizes)
    pairs = all_pairs(rows)
    expected = [
        (h, t) for h, t in permutations(range(len(rows)), 2) if rows[h].item() == rows[t].item()
    ]
    assert list(zip(pairs.heads.tolist(), pairs.tails.tolist(), strict=True)) == expected
    order = torch.randperm(len(expected))
    assert pairs.place(pairs.heads[order], pairs.tails[order]).equal(order)
    some = pairs.select(order)
    assert some.heads.equal(pairs.heads[order])
    assert some.place(some.heads, some.tails).equal(order)


def bucket_of(distance: int) -> int:
    size = 0
    while size < 9 and 2**size <= abs(distance):
        size += 1
    return 9 + (size if distance > 0 else -size)


def test_buckets_are_powers_of_two() -> None:
    distances = list(range(-600, 600))
    found = distance_buckets(torch.tensor(distances))
    assert found.tolist() == [bucket_of(d) for d in distances]
    assert set(found.tolist()) == set(range(BUCKETS))


@pytest.mark.parametrize("sizes", [[3, 0, 1, 4, 2], [2], [0, 5], [1], [0]])
def test_scores_are_those_of_the_whole_bilinear_layer(sizes: list[int]) -> None:
    """The four blocks of the weight against torch's own layer on concatenated features."""
    torch.manual_seed(0)
    layer = BilinearClassifier(6, 3, 4).double()
    entities = some_entities(sizes, 6, torch.float64)
    pairs = all_pairs(entities.rows)
    found = layer(entities, pairs)
    assert found.shape == (sum(n * (n - 1) for n in sizes), 4)
    first = entities.spans[:, 0].tolist()
    for score, h, t in zip(found, pairs.heads.tolist(), pairs.tails.tolist(), strict=True):
        sides = [
            torch.cat([entities.vectors[a], layer.distances.weight[bucket_of(first[a] - first[b])]])
            for a, b in ((h, t), (t, h))
        ]
        whole = torch.nn.functional.bilinear(*sides, layer.weight.transpose(0, 1), layer.bias)
        torch.testing.assert_close(score, whole)
    order = torch.randperm(len(pairs.heads))
    torch.testing.assert_close(layer(entities, pairs.select(order)), found[order])


def test_gradients_are_those_of_the_whole_bilinear_layer() -> None:
    torch.manual_seed(0)
    layer = BilinearClassifier(5, 2, 3).double()
    entities = some_entities([3, 1, 2], 5, torch.float64)
    vectors = entities.vectors.requires_grad_()
    pairs = all_pairs(entities.rows).select(torch.tensor([0, 3, 4, 7]))
    bucket = distance_buckets(entities.spans[pairs.heads, 0] - entities.spans[pairs.tails, 0])
    heads = torch.cat([vectors[pairs.heads], layer.distances(bucket)], 1)
    tails = torch.cat([vectors[pairs.tails], layer.distances(BUCKETS - 1 - bucket)], 1)
    whole = torch.nn.functional.bilinear(heads, tails, layer.weight.transpose(0, 1), layer.bias)
    wanted = [vectors, *layer.parameters()]
    expected = torch.autograd.grad(whole.tanh().sum(), wanted)
    found = torch.autograd.grad(layer(entities, pairs).tanh().sum(), wanted)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_a_fresh_layer_is_as_torchs_own() -> None:
    torch.manual_seed(0)
    layer = BilinearClassifier(60, 4, 8)
    own = torch.nn.Bilinear(64, 64, 8)
    assert layer.weight.numel() == own.weight.numel()
    assert layer.weight.std().item() == pytest.approx(own.weight.std().item(), rel=0.02)
    assert layer.weight.abs().max() <= 1 / 8


@settings(deadline=None, max_examples=60)
@given(SIZES, st.integers(1, 8))
def test_parts_hold_all_entities_of_whole_examples(sizes: list[int], at_once: int) -> None:
    entities = some_entities(sizes, 2, torch.float32)
    parts = entities.parts(at_once)
    for field in dataclasses.fields(EntityVectors):
        columns = [getattr(part, field.name) for part in parts]
        whole = getattr(entities, field.name)
        assert torch.equal(torch.cat(columns) if columns else whole[:0], whole)
    examples = [set(part.rows.tolist()) for part in parts]
    assert sum(map(len, examples)) == len(set().union(*examples))
    assert all(len(part.rows) < at_once + max(sizes) for part in parts)


@settings(deadline=None, max_examples=60)
@given(SIZES, st.integers(1, 4), st.integers(1, 30), st.data())
def test_draws_keep_the_related_and_some_others(
    sizes: list[int], negatives: int, limit: int, data: st.DataObject
) -> None:
    rows = rows_of(sizes)
    related = torch.tensor([data.draw(st.booleans()) for _ in rows], dtype=torch.bool)
    drawn = draw_pairs(rows, related, negatives, limit)
    assert drawn.equal(drawn.unique()), "ascending, none of them twice"
    for row, size in enumerate(sizes):
        mine = drawn[rows[drawn] == row]
        positive = int(related[rows == row].sum())
        kept = int(related[mine].sum())
        assert kept == min(positive, limit)
        wanted = negatives * max(1, positive)
        assert len(mine) - kept == min(size - positive, wanted, limit - kept)


def test_draws_are_even_and_differ_from_step_to_step() -> None:
    torch.manual_seed(0)
    rows = torch.zeros(10, dtype=torch.long)
    related = torch.arange(10) == 4
    draws = [tuple(draw_pairs(rows, related, 3, 99).tolist()) for _ in range(600)]
    assert all(len(d) == 4 and 4 in d for d in draws)
    counts = Counter(i for d in draws for i in d)
    assert all(150 < counts[i] < 250 for i in range(10) if i != 4), "600 steps, 3 of 9 others"


CLASSES = {BORN: 1, LIVES: 2, PART: 3}


def packed(read: list[int], classes: dict[str, int] = CLASSES) -> dict[str, list[list[list[int]]]]:
    columns = vars(pack_entities(DOCUMENTS, read, classes))
    return {
        name: [part.tolist() for part in column.values.split(column.lengths.tolist())]
        for name, column in columns.items()
    }


def test_entities_mentions_and_facts_are_packed() -> None:
    found = packed(WORDS)
    assert found["entities"][0] == [[0, 0, 2], [1, 5, 6], [2, 11, 12], [3, 16, 17]]
    assert found["mentions"][0] == [[0, 0, 2], [0, 8, 9], [1, 5, 6], [2, 11, 12], [3, 16, 17]]
    assert found["facts"][:2] == [[[0, 1, 1], [0, 2, 2], [2, 3, 3]], [[0, 1, 1], [0, 1, 2]]]
    assert found["facts"][2:] == found["entities"][4:] * 3 == [[]] * 3
    assert found["sizes"] == [[4], [2], [2], [1], [0]]


def test_what_is_not_read_is_left_out_and_counted() -> None:
    found = packed([12, 1, 3, 3, 4])
    assert found["entities"][:3] == [[[0, 0, 2], [1, 5, 6], [2, 11, 12]], [[0, 0, 1]], [[0, 0, 1]]]
    assert found["mentions"][1] == [[0, 0, 1]], "its second mention is beyond the cut"
    assert found["facts"][:2] == [[[0, 1, 1], [0, 2, 2]], []]
    assert found["sizes"][:3] == [[4], [2], [2]]
    only = packed([0, 9, 9, 9, 9])
    assert only["entities"][0] == []
    assert packed(WORDS, {PART: 1})["facts"][0] == [[2, 3, 1]]


def test_an_entity_whose_first_mention_is_cut_off_is_numbered_anew() -> None:
    document = dataclasses.replace(DOCUMENTS[0], entities=DOCUMENTS[0].entities[::-1], facts=())
    gold = pack_entities([document], [9], CLASSES)
    assert gold.entities.values.tolist() == [[2, 5, 6], [3, 0, 2]]
    assert gold.mentions.values.tolist() == [[0, 5, 6], [1, 0, 2], [1, 8, 9]]


def test_the_first_mention_is_the_earliest_of_the_text() -> None:
    ada, *others = DOCUMENTS[0].entities
    turned = dataclasses.replace(ada, mentions=ada.mentions[::-1])
    document = dataclasses.replace(DOCUMENTS[0], entities=(turned, *others))
    gold = pack_entities([document], [99], CLASSES)
    assert gold.entities.values[0].tolist() == [0, 0, 2]


def test_a_fact_of_an_entity_with_itself_is_no_target() -> None:
    with_itself = dataclasses.replace(DOCUMENTS[1], facts=(Fact(0, LIVES, 0), Fact(1, LIVES, 0)))
    assert pack_entities([with_itself], [9], CLASSES).facts.values.tolist() == [[1, 0, 2]]


def test_targets_are_the_facts_and_na() -> None:
    gold = pack_entities(DOCUMENTS, WORDS, CLASSES)
    pairs = all_pairs(gold.entities.owners)
    targets = pairs.targets(gold, 4)
    numbers = gold.entities.values[:, 0]
    for row, h, t in zip(targets, pairs.heads, pairs.tails, strict=True):
        facts = DOCUMENTS[int(gold.entities.owners[h])].facts
        of_pair = {f.relation for f in facts if (f.head, f.tail) == (numbers[h], numbers[t])}
        expected = {CLASSES[r] for r in of_pair} or {0}
        assert set(row.nonzero().squeeze(1).tolist()) == expected
    assert targets.sum() == 5 + 9 + 1 + 2, "of 16 pairs, one with two relations"


def test_spans_of_sentences_are_entities_once() -> None:
    gold = pack_entities(SENTENCES, [99] * len(SENTENCES), {})
    for i, sentence in enumerate(SENTENCES):
        one = torch.tensor([i])
        found = gold.mentions.select(one).values.tolist()
        spans = list(dict.fromkeys(e.span for e in sentence.entities))
        assert [Span(*m[1:]) for m in found] == spans
        assert gold.entities.select(one).values.tolist() == found
