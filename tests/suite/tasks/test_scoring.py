"""Match rules, micro sums and slices, on a sentence that can be counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.tasks.examples import Entity, Fact, Sentence, Span, SurfaceTriple, Triple
from suite.tasks.items import Prediction
from suite.tasks.registry import find_task
from suite.tasks.scores import Scores
from suite.tasks.scoring import evaluate, evaluate_in_slices
from tests.corpus import BORN, DOCUMENTS, LIVES, NESTED, SENTENCES, WORKS

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
    seen = find_task("triples").all_wordings(SENTENCES[:1])
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


def entities(*found: tuple[int, int, str]) -> list[Prediction]:
    return [Prediction(Entity(Span(start, end), kind), 0.9) for start, end, kind in found]


def test_entities_by_type_and_nesting_by_hand() -> None:
    rows = [
        entities((0, 2, "PER"), (4, 5, "ORG")),
        entities((1, 4, "ORG"), (5, 7, "PER")),
        entities((0, 2, "ORG"), (6, 7, "LOC")),
        entities((0, 1, "LOC")),
        entities((0, 1, "PER")),
        [],
    ]
    evaluation, outcomes = evaluate_in_slices(
        NESTED, rows, "ner", "offsets", "partial", frozenset({("Leeds", "LOC")})
    )
    assert evaluation.exact == Scores(correct=5, predicted=8, gold=12)
    assert evaluation.partial == Scores(correct=6, predicted=8, gold=11), "two ORG begin at 0"
    slices = evaluation.slices
    assert slices["type"]["PER"] == Scores(correct=2, predicted=3, gold=3)
    assert slices["type"]["LOC"] == Scores(correct=2, predicted=2, gold=6)
    assert slices["nested"]["nested"] == Scores(correct=1, predicted=2, gold=5)
    assert slices["nested"]["flat"] == Scores(correct=4, predicted=6, gold=7)
    assert slices["seen"]["seen"] == Scores(correct=1, predicted=1, gold=2)
    assert set(slices) == {"type", "nested", "seen", "length"}
    assert outcomes[0].gold[0] == ["Ada Lovelace", "PER", [0, 2]]
    assert outcomes[0].predicted[1] == ["London", "ORG", [4, 5], 0.9]


def test_facts_by_distance_and_as_seen_in_train_by_hand() -> None:
    rows = [[Prediction(Fact(0, BORN, 1), 0.9), Prediction(Fact(0, LIVES, 3), 0.8)], [], [], [], []]
    seen = frozenset({("Ada", BORN, "London")})
    evaluation, outcomes = evaluate_in_slices(DOCUMENTS, rows, "docre", "offsets", "exact", seen)
    assert evaluation.exact == evaluation.partial == Scores(correct=1, predicted=2, gold=5)
    assert evaluation.slices["seen"]["seen"] == Scores(correct=1, predicted=1, gold=1)
    assert evaluation.slices["distance"] == {
        "in a sentence": Scores(correct=1, predicted=2, gold=5)
    }
    assert evaluation.slices["relation"][LIVES] == Scores(correct=0, predicted=1, gold=2)
    assert outcomes[0].gold[0] == ["Ada Lovelace", BORN, "London", 0, 1]


def test_evidence_is_no_part_of_a_fact() -> None:
    with_evidence = [replace(DOCUMENTS[1], facts=(Fact(0, BORN, 1, (0,)),))]
    found = [[Prediction(Fact(0, BORN, 1), 0.9)]]
    assert evaluate(with_evidence, found, "docre", "offsets").exact.f1 == 1.0
