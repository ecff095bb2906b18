"""Which query stands for which gold triple, against all assignments tried one by one."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from baselines.spn.heads import Answers
from baselines.spn.matching import Matcher, match_best, match_in_order
from suite.modelling.ragged import Ragged

TRIPLES = [
    [(0, 0, 1, 3, 3), (2, 1, 1, 0, 0)],
    [],
    [(1, 2, 2, 2, 2), (0, 0, 0, 1, 1), (2, 3, 4, 0, 0), (1, 0, 0, 1, 2)],
]
"""Relation and four words of each triple; the last sentence has more than there are queries."""
PACKED = Ragged.from_rows(TRIPLES, 5)


def answers(queries: int = 3, dtype: torch.dtype = torch.float32) -> Answers:
    torch.manual_seed(0)
    relations, words = torch.randn(3, queries, 4), torch.randn(3, 4, queries, 5)
    return Answers(relations.to(dtype).log_softmax(2), words.to(dtype).log_softmax(3))


def suits(
    found: Answers, sentence: int, query: int, triple: tuple[int, ...], how: Matcher
) -> float:
    five = [found.relations[sentence, query, triple[0]]]
    five += [found.words[sentence, i, query, word] for i, word in enumerate(triple[1:])]
    probabilities = [log.exp().item() for log in five]
    return sum(probabilities) if how == "sum" else min(probabilities)


def slow(found: Answers, how: Matcher) -> set[tuple[int, int]]:
    """Of all ways to give triples queries the one that suits best: triples and their queries."""
    best, start = set(), 0
    queries = found.relations.shape[1]
    for sentence, triples in enumerate(TRIPLES):
        most = min(len(triples), queries)
        ways = itertools.product(
            itertools.combinations(range(len(triples)), most),
            itertools.permutations(range(queries), most),
        )

        def worth(way: tuple[tuple[int, ...], ...], s: int = sentence) -> float:
            pairs = zip(*way, strict=True)
            return sum(suits(found, s, q, TRIPLES[s][t], how) for t, q in pairs)

        which, chosen = max(ways, key=worth)
        best |= {(start + t, q) for t, q in zip(which, chosen, strict=True)}
        start += len(triples)
    return best


@pytest.mark.parametrize("how", ["sum", "least"])
@pytest.mark.parametrize("queries", [1, 3, 5])
def test_the_best_assignment_is_found(how: Matcher, queries: int) -> None:
    found = answers(queries)
    matched = match_best(found, PACKED, how)
    pairs = set(zip(matched.triples.tolist(), matched.queries.tolist(), strict=True))
    assert pairs == slow(found, how)
    assert matched.triples.tolist() == sorted(matched.triples.tolist())


def test_low_precision_and_what_is_not_finite_are_matched_too() -> None:
    found = answers(dtype=torch.bfloat16)
    assert len(match_best(found, PACKED, "sum").triples) == 2 + 3
    broken = found._replace(relations=torch.full_like(found.relations, torch.nan))
    assert len(match_best(broken, PACKED, "sum").triples) == 2 + 3


def test_nothing_is_matched_where_there_is_no_triple() -> None:
    empty: Tensor
    for empty in match_best(answers(), Ragged.from_rows([[], [], []], 5), "sum"):
        assert empty.shape == (0,)


def test_without_matching_the_first_triple_has_the_first_query() -> None:
    matched = match_in_order(PACKED, 3)
    assert matched.triples.tolist() == [0, 1, 2, 3, 4]
    assert matched.queries.tolist() == [0, 1, 0, 1, 2]
