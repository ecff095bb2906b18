"""Labelled cells and how triples are read off them, against a slow re-statement."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.grte.labels import LABELS, MOST_CELLS, Cells, find_triples, label_cells
from suite.modelling import groups
from suite.tasks.examples import Span, Triple

RELATIONS = {"r": 0, "q": 1}
Found = dict[tuple[int, int, int, int, int, int], float]
"""Sentence, subject, relation and object (first and last words) of a triple -> its score."""


def cells_of(rows: Sequence[tuple[int, int, int, int, str, float]]) -> Cells:
    """From sentence, subject's word, object's word, relation, label and score of each cell."""
    numbers = torch.tensor(
        [(a, b, c, d, LABELS.index(name)) for a, b, c, d, name, _ in rows], dtype=torch.long
    ).view(-1, 5)
    return Cells(*numbers.unbind(1), torch.tensor([row[-1] for row in rows]))


def found(cells: Cells, *, reverse: bool) -> Found:
    triples = find_triples(cells, reverse=reverse)
    keys = torch.stack(triples[:-1], 1).tolist()
    assert len({*map(tuple, keys)}) == len(keys), "each is found once"
    pairs = zip(keys, triples.scores.tolist(), strict=True)
    return {tuple(key): score for key, score in pairs}


def slow(rows: Sequence[tuple[int, int, int, int, str, float]], *, reverse: bool) -> Found:
    """Algorithm 1, cell by cell."""
    triples: Found = {}
    for row in rows:
        sentence, i, j, relation, name, score = row
        if name == "SS":
            triples[sentence, i, i, relation, j, j] = score
        elif name[2] == "H" or reverse:
            wanted = name[:2] + ("T" if name[2] == "H" else "H")
            sign = 1 if name[2] == "H" else -1
            best = None
            for other in rows:
                down, right = (sign * (other[k] - row[k]) for k in (1, 2))
                if other[0] != sentence or other[3] != relation or other[4] != wanted:
                    continue
                if (down > 0 if name[0] == "M" else down == 0) and (
                    right > 0 if name[1] == "M" else right == 0
                ):
                    candidate = (down + right, down, other)
                    best = min(best, candidate) if best else candidate
            if best:
                first, last = (row, best[2]) if sign == 1 else (best[2], row)
                key = (sentence, first[1], last[1], relation, first[2], last[2])
                triples[key] = max(triples.get(key, 0.0), min(first[5], last[5]))
    return triples


CELL = st.tuples(*[st.integers(0, n) for n in (1, 4, 4, 1)])


@given(
    st.dictionaries(CELL, st.tuples(st.sampled_from(LABELS[1:]), st.integers(1, 8)), max_size=40),
    st.booleans(),
    st.sampled_from([1, 7, 2**20]),
)
@settings(max_examples=120, deadline=None)
def test_decoding_is_that_of_the_algorithm(
    table: dict[tuple[int, int, int, int], tuple[str, int]], reverse: bool, at_once: int
) -> None:
    rows = [(*cell, name, eighths / 8) for cell, (name, eighths) in table.items()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "PAIRS_AT_ONCE", at_once)
        assert found(cells_of(rows), reverse=reverse) == slow(rows, reverse=reverse)


def decoded(triples: Sequence[Triple], *, reverse: bool = True) -> set[Triple]:
    """What the cells of a sentence's triples are read as."""
    rows = [(0, i, j, r, LABELS[k], 1.0) for i, j, r, k in label_cells(triples, RELATIONS)]
    names = [*RELATIONS]
    keys = found(cells_of(rows), reverse=reverse)
    return {Triple(Span(a, b + 1), names[r], Span(c, d + 1)) for _, a, b, r, c, d in keys}


def triple(a: int, b: int, c: int, d: int, relation: str = "r") -> Triple:
    return Triple(Span(a, b), relation, Span(c, d))


@pytest.mark.parametrize(
    ("triples", "labelled"),
    [
        ([triple(0, 1, 3, 4)], {(0, 3, 0, "SS")}),
        ([triple(0, 2, 3, 5)], {(0, 3, 0, "MMH"), (1, 4, 0, "MMT")}),
        ([triple(0, 2, 3, 4)], {(0, 3, 0, "MSH"), (1, 3, 0, "MST")}),
        ([triple(3, 4, 0, 3, "q")], {(3, 0, 1, "SMH"), (3, 2, 1, "SMT")}),
    ],
)
def test_cells_of_a_triple(triples: list[Triple], labelled: set[tuple[int, int, int, str]]) -> None:
    cells = label_cells(triples, RELATIONS)
    assert {(i, j, r, LABELS[k]) for i, j, r, k in cells} == labelled
    assert decoded(triples, reverse=False) == set(triples)


SIDE_BY_SIDE = [triple(0, 2, 6, 7), triple(2, 4, 6, 7)]
MIXED = [triple(0, 2, 5, 7), triple(0, 2, 9, 10), triple(3, 4, 5, 7), triple(3, 4, 9, 10)]
INVERSE = [triple(0, 2, 3, 5), triple(3, 5, 0, 2)]
ITSELF = [triple(1, 2, 1, 2), triple(3, 5, 3, 5)]
EDGES = [triple(9, 10, 0, 1), triple(0, 1, 9, 10)]


@pytest.mark.parametrize("triples", [SIDE_BY_SIDE, MIXED, INVERSE, ITSELF, EDGES])
@pytest.mark.parametrize("reverse", [False, True])
def test_what_does_not_overlap_is_not_lost(triples: list[Triple], reverse: bool) -> None:
    """Adjacent entities, all four pairs of letters, inverse pairs, head = tail, the edges."""
    assert decoded(triples, reverse=reverse) == set(triples)
    flipped = [Triple(tail, name, head) for head, name, tail in triples]
    assert decoded(flipped, reverse=reverse) == set(flipped)


def test_of_subjects_that_share_a_start_the_reverse_search_finds_the_longer() -> None:
    nested = [triple(0, 2, 5, 6), triple(0, 3, 5, 6)]
    assert decoded(nested, reverse=False) == {nested[0]}
    assert decoded(nested, reverse=True) == set(nested)


def test_one_cell_has_one_label_and_what_does_not_fit_leaves_no_half() -> None:
    """New York as subject of a single word and of many; a last cell that is another's first."""
    clash = [triple(0, 2, 5, 6), triple(0, 2, 5, 7)]
    assert decoded(clash) == {clash[0]}
    assert decoded(clash[::-1]) == {clash[1]}
    first_on_last = [triple(0, 2, 4, 6), triple(1, 3, 5, 7)]
    assert decoded(first_on_last) == {first_on_last[0]}


def test_of_entities_within_entities_each_search_adds_a_mixture() -> None:
    """The first of one and the last of the other are closer to each other than to their own."""
    outer, inner = triple(0, 6, 10, 16), triple(2, 4, 12, 14)
    assert decoded([outer, inner], reverse=False) == {inner, triple(0, 4, 10, 14)}
    assert decoded([outer, inner]) == {inner, triple(0, 4, 10, 14), triple(2, 6, 12, 16)}


def test_relations_that_are_not_known_are_no_target() -> None:
    assert not label_cells([triple(0, 1, 2, 3, "other")], RELATIONS)
    assert label_cells([], RELATIONS) == []


@pytest.mark.parametrize("reverse", [False, True])
def test_nothing_is_found_in_nothing(reverse: bool) -> None:
    assert not found(cells_of([]), reverse=reverse)
    assert not found(cells_of([(0, 1, 2, 0, "MMH", 1.0)]), reverse=reverse)


def test_of_too_many_cells_the_most_probable_are_kept() -> None:
    torch.manual_seed(0)
    rows = [(i % 2, i, i, 0, "SS", float(s)) for i, s in enumerate(torch.rand(30))]
    rows += [(2, 0, j, 0, "SS", 0.5) for j in range(7)]
    kept = cells_of(rows).most_probable(5)
    for sentence in range(3):
        own = sorted((row for row in rows if row[0] == sentence), key=lambda row: -row[5])
        expected = sorted((row[1], row[2]) for row in own[:5])
        of_it = kept.sentences == sentence
        words = torch.stack([kept.subjects[of_it], kept.objects[of_it]], 1).tolist()
        assert sorted(map(tuple, words)) == expected
    few = cells_of(rows[:3])
    assert few.most_probable(5).scores.tolist() == few.scores.tolist()


def test_an_untrained_table_is_decoded_at_once() -> None:
    """As many cells as are decoded at most, all of which fit together."""
    side = round(MOST_CELLS**0.5)
    rows = [
        (0, i, j, 0, "MMH" if i < side // 2 else "MMT", 1.0)
        for i, j in itertools.product(range(side), range(side))
    ]
    assert len(found(cells_of(rows), reverse=True)) > side
