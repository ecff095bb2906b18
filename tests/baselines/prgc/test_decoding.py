"""Which subject and object of a tagged row belong together, against a slow re-statement."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from baselines.prgc import decoding
from baselines.prgc.decoding import TaggedRows, join
from baselines.prgc.tags import FoundSpans
from suite.modelling import groups
from suite.modelling.cascade import Spans

ROWS = torch.tensor([0, 0, 2])
"""Sentence of three tagged rows; the one between has none."""


def spans(*found: tuple[int, int]) -> FoundSpans:
    """Row and first word of each, in order, with scores of their own."""
    rows, first = torch.tensor(found, dtype=torch.long).view(-1, 2).unbind(1)
    scores = torch.linspace(0.55, 0.95, len(found))
    return FoundSpans(Spans(rows, torch.zeros_like(rows), first, first), scores)


SUBJECTS = spans((0, 0), (0, 4), (1, 2), (2, 1), (2, 3))
OBJECTS = spans((0, 1), (0, 3), (0, 4), (2, 0), (2, 3))


def tagged(links: Tensor | None, *, judged: float = 0.9) -> TaggedRows:
    return TaggedRows(
        ROWS, torch.tensor([0, 1, 1]), torch.full((3,), judged), SUBJECTS, OBJECTS, links
    )


def found(rows: TaggedRows, threshold: float = 0.5) -> dict[tuple[int, int], float]:
    pairs = join(rows, threshold)
    keys = list(zip(pairs.subjects.tolist(), pairs.objects.tolist(), strict=True))
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, pairs.scores.tolist(), strict=True))


def slow(rows: TaggedRows, threshold: float) -> dict[tuple[int, int], float]:
    expected = {}
    assert rows.links is not None
    subjects, objects = rows.subjects, rows.objects
    for i, j in itertools.product(range(5), range(5)):
        row = int(subjects.spans.rows[i])
        if row != int(objects.spans.rows[j]):
            continue
        link = rows.links[rows.rows[row], subjects.spans.first[i], objects.spans.first[j]].item()
        if link > threshold:
            scores = (rows.scores[row], subjects.scores[i], objects.scores[j])
            expected[i, j] = min(link, *(s.item() for s in scores))
    return expected


@pytest.mark.parametrize("at_once", [1, 4, 1000])
def test_linked_pairs(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(groups, "PAIRS_AT_ONCE", at_once)
    torch.manual_seed(0)
    rows = tagged(torch.rand(3, 5, 5))
    for threshold in (0.3, 0.6):
        expected = slow(rows, threshold)
        assert 3 < len(expected) < 10
        assert found(rows, threshold) == pytest.approx(expected)


def test_a_probability_of_the_threshold_itself_links_nothing() -> None:
    assert not found(tagged(torch.full((3, 5, 5), 0.5)))


def test_nearest_neighbours_belong_together() -> None:
    """In the first row 0 to 1, 4 to itself, and 3 to 4; in the last 1 to 0, 3 to itself."""
    expected = {(0, 0): 0.55, (1, 2): 0.65, (1, 1): 0.65, (3, 3): 0.85, (4, 4): 0.9}
    assert found(tagged(None)) == pytest.approx(expected)


def test_of_two_at_one_distance_the_later_is_nearer() -> None:
    one = torch.tensor([0])
    rows = TaggedRows(one, one, torch.ones(1), spans((0, 2)), spans((0, 1), (0, 3)), None)
    # The earlier object has that subject as its own nearest.
    assert found(rows).keys() == {(0, 0), (0, 1)}
    alone = rows._replace(subjects=spans((0, 0), (0, 2)), objects=spans((0, 1)))
    assert found(alone).keys() == {(0, 0), (1, 0)}


def test_a_row_without_objects_has_no_triple() -> None:
    nothing = spans()
    for links in (torch.ones(3, 5, 5), None):
        assert not found(tagged(links)._replace(objects=nothing))
        assert not found(tagged(links)._replace(subjects=nothing))


def test_the_surest_triples_of_each_sentence_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    every = found(tagged(torch.ones(3, 5, 5)))
    for at_once in (1, 1000):
        monkeypatch.setattr(groups, "PAIRS_AT_ONCE", at_once)
        monkeypatch.setattr(decoding, "MOST_TRIPLES", 3)
        kept = found(tagged(torch.ones(3, 5, 5)))
        for sentence in ((0, 1, 2), (3, 4)):
            own = sorted((s for (i, _), s in every.items() if i in sentence), reverse=True)[:3]
            assert sorted((s for (i, _), s in kept.items() if i in sentence), reverse=True) == own


def test_scores_stay_above_zero() -> None:
    assert all(score > 0 for score in found(tagged(torch.ones(3, 5, 5), judged=0.0)).values())
