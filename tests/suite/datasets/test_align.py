"""Finding heads and tails among the words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.datasets.align import Mentioned, Record, align
from suite.datasets.problems import ProblemLog
from suite.datasets.reading import Reading
from suite.errors import SuiteError
from suite.tasks.examples import Entity, Sentence, Span, SurfaceTriple, Triple
from suite.tasks.matching import find_words

WORDS = tuple("ababc")
TYPES = {"r": ("PER", "LOC")}


def placed(*triples: Mentioned) -> tuple[Sentence, ProblemLog]:
    log = ProblemLog(Path("train.json"))
    record = Record("train-1", "train.json", "record 1")
    return align(WORDS, triples, record, Reading(log, TYPES)), log


def test_the_first_occurrence_is_taken_and_the_doubt_counted() -> None:
    sentence, log = placed(Mentioned("a b", "r", "c"))
    assert sentence.triples == (Triple(Span(0, 2), "r", Span(4, 5)),)
    assert log.freeze().ambiguous == 1
    assert "'a b' occurs more than once" in log.freeze().samples[0].what


def test_what_is_not_found_stays_gold_without_a_place() -> None:
    sentence, log = placed(Mentioned("c", "r", "x  y"), Mentioned("x", "r", "y"))
    assert sentence.triples == ()
    assert sentence.unplaced == (SurfaceTriple("c", "r", "x y"), SurfaceTriple("x", "r", "y"))
    assert log.freeze().not_found == 3
    assert sentence.entities == (Entity(Span(4, 5), "PER"),)


def test_repeated_triples_collapse_and_are_counted() -> None:
    triple, lost = Mentioned("a", "r", "c"), Mentioned("a", "r", "x")
    sentence, log = placed(triple, triple, lost, lost)
    assert (len(sentence.triples), len(sentence.unplaced)) == (1, 1)
    assert log.freeze().duplicates == 2


def test_entities_are_typed_by_the_file_then_by_the_relation_then_not_at_all() -> None:
    sentence, _ = placed(Mentioned("a", "r", "c", "ORG"), Mentioned("b", "other", "c"))
    assert set(sentence.entities) == {
        Entity(Span(0, 1), "ORG"),
        Entity(Span(1, 2), "ANY"),
        Entity(Span(4, 5), "LOC"),
        Entity(Span(4, 5), "ANY"),
    }


def test_an_empty_head_is_an_error() -> None:
    with pytest.raises(SuiteError, match=r"train.json, record 1: a triple has an empty head"):
        placed(Mentioned(" ", "r", "c"))


@given(st.lists(st.sampled_from("ab")), st.lists(st.sampled_from("ab"), min_size=1, max_size=3))
def test_find_words_agrees_with_looking_everywhere(words: list[str], parts: list[str]) -> None:
    everywhere = [i for i in range(len(words)) if words[i : i + len(parts)] == parts]
    assert find_words(tuple(words), parts) == (everywhere[0] if everywhere else -1)
    later = everywhere[1] if len(everywhere) > 1 else -1
    if everywhere:
        assert find_words(tuple(words), parts, everywhere[0] + 1) == later
