"""Match rules, micro sums and slices, on a sentence that can be counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.examples import Sentence, Span, SurfaceTriple, Triple
from suite.matching import all_wordings
from suite.metrics import evaluate, evaluate_in_slices
from suite.records import Scores
from suite.system import Prediction
from tests.corpus import LIVES, SENTENCES, WORKS

PARIS_TEXAS = Sentence(
    "paris",
    ("Ann", "of", "Paris", "Texas", "works", "for", "Acme", "in", "Paris", "."),
    (Triple(Span(0, 1), LIVES, Span(2, 4)), Triple(Span(0, 1), WORKS, Span(6, 7))),
)


def predicted(*triples: Triple) -> list[Prediction]:
    return [Prediction(t, 0.9) for t in triples]


def test_exact_asks_for_both_spans_partial_for_their_first_words() -> None:
    found = predicted(Triple(Span(0, 1), LIVES, Span(2, 3)))
    scores = evaluate([PARIS_TEXAS], [found], "triples", "offsets")
    assert scores.partial == Scores(correct=1, predicted=1, gold=2)
    assert scores.exact == Scores(correct=0, predicted=1, gold=2)


def test_surface_matching_takes_another_occurrence_of_the_same_words() -> None:
    found = predicted(Triple(Span(0, 1), LIVES, Span(8, 9)))  # the second "Paris"
    assert evaluate([PARIS_TEXAS], [found], "triples", "offsets").partial.correct == 0
    assert evaluate([PARIS_TEXAS], [found], "triples", "surface").partial.correct == 1
    assert evaluate([PARIS_TEXAS], [found], "triples", "surface").exact.correct == 0


def test_duplicates_collapse_under_the_rule_that_makes_them_equal() -> None:
    found = predicted(Triple(Span(0, 1), LIVES, Span(2, 3)), Triple(Span(0, 1), LIVES, Span(2, 4)))
    scores = evaluate([PARIS_TEXAS], [found], "triples", "offsets")
    assert scores.partial == Scores(correct=1, predicted=1, gold=2)
    assert scores.exact == Scores(correct=1, predicted=2, gold=2)


def test_gold_without_a_place_and_gold_beyond_the_cut_count_as_missed() -> None:
    lost = Sentence("lost", ("a", "b"), (), (), (SurfaceTriple("c", LIVES, "b"),))
    scores = evaluate([lost, PARIS_TEXAS], [[], []], "triples", "surface")
    assert scores.exact == Scores(correct=0, predicted=0, gold=3)
    assert PARIS_TEXAS.cut(5).triples == PARIS_TEXAS.triples[:1]
    assert evaluate([PARIS_TEXAS], [[]], "triples", "offsets").exact.gold == 2


def test_slices_by_hand() -> None:
    rows = [predicted(*s.triples[:1]) for s in SENTENCES]
    seen = all_wordings(SENTENCES[:1], "triples")
    evaluation, outcomes = evaluate_in_slices(SENTENCES, rows, "triples", "offsets", "exact", seen)
    slices = evaluation.slices
    assert slices["count"]["0"] == Scores(correct=0, predicted=0, gold=0)
    assert slices["count"]["1"] == Scores(correct=1, predicted=1, gold=1)
    assert slices["count"]["2"] == Scores(correct=3, predicted=3, gold=6)
    assert slices["count"]["3"] == Scores(correct=1, predicted=1, gold=3)
    assert slices["overlap"]["EPO"] == Scores(correct=1, predicted=1, gold=2)
    # "Ada Lovelace lives in London" stands in the first two sentences, and so is seen twice.
    assert slices["seen"]["seen"] == Scores(correct=2, predicted=2, gold=2)
    assert slices["length"]["1 to 20 words"] == evaluation.exact
    assert slices["relation"][WORKS] == Scores(correct=1, predicted=1, gold=2)
    assert [o.correct["exact"].correct for o in outcomes] == [1, 1, 1, 1, 0, 0, 1]
    assert outcomes[0].gold == [["Ada Lovelace", LIVES, "London", [0, 2], [4, 5]]]


SPANS = st.integers(0, 4).map(lambda i: Span(i, i + 1))
TRIPLES = st.sets(st.builds(Triple, SPANS, st.sampled_from((LIVES, WORKS)), SPANS), max_size=6)


@given(TRIPLES, TRIPLES)
def test_slices_of_triples_sum_to_the_whole(gold: set[Triple], found: set[Triple]) -> None:
    sentence = Sentence("x", ("a", "b", "a", "c", "d"), tuple(sorted(gold)))
    rows = [predicted(*sorted(found))]
    for matching in ("offsets", "surface"):
        evaluation, _ = evaluate_in_slices(
            [sentence], rows, "triples", matching, "exact", frozenset()
        )
        for family in ("relation", "seen"):
            parts = evaluation.slices.get(family, {}).values()
            for field in ("correct", "predicted", "gold"):
                total = sum(getattr(p, field) for p in parts)
                assert total == getattr(evaluation.exact, field), (family, matching)
        assert evaluation.exact.correct <= min(evaluation.exact.predicted, evaluation.exact.gold)


def test_empty_denominators_score_zero() -> None:
    nothing = Scores(correct=0, predicted=0, gold=0)
    assert (nothing.precision, nothing.recall, nothing.f1) == (0.0, 0.0, 0.0)
    assert Scores(correct=2, predicted=4, gold=3).f1 == pytest.approx(
        0.5 * (2 / 3) * 2 / (0.5 + 2 / 3)
    )
