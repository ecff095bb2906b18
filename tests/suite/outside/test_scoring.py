"""How records find their examples, and what of them counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from suite.errors import SuiteError
from suite.outside.answers import Answer, AnswersFile
from suite.outside.fitting import fit
from suite.outside.gold import Gold
from suite.outside.scoring import score
from suite.tasks.claims import Claim, occurrences, place
from suite.tasks.examples import Entity, Example, Sentence, Span
from tests.corpus import BORN, DOCUMENTS, LIVES, NESTED, PART, SENTENCES, sentence


def gold_of(examples: Sequence[Example], task: str = "triples", matching: str = "offsets") -> Gold:
    labels = {"triples": {LIVES, BORN}, "docre": {LIVES, BORN, PART}, "ner": {"PER", "LOC", "ORG"}}
    return Gold(
        "small", task, matching, tuple(examples), frozenset(labels[task]), frozenset(), "tests"  # type: ignore[arg-type]
    )  # fmt: skip


def file_of(*answers: Answer) -> AnswersFile:
    return AnswersFile(Path("file.jsonl"), "JSON lines", "0" * 64, answers)


def answer(*claims: Claim, **how: object) -> Answer:
    return Answer("record 1", claims, **how)  # type: ignore[arg-type]


TWICE = [
    sentence("a", "Ada lives in Rome .", ("Ada", LIVES, "Rome")),
    sentence("b", "Eve lives in Oslo .", ("Eve", LIVES, "Oslo")),
    sentence("c", "Ada lives in Rome .", ("Ada", LIVES, "Rome")),
]


def test_equal_texts_are_taken_in_their_order() -> None:
    said = [answer(text="Ada  lives in Rome."), answer(text="Ada lives in Rome .")]
    fitted = fit(said, TWICE)
    assert fitted.answers == (said[0], None, said[1])
    assert not fitted.doubled
    again = fit([*said, answer(text="AdalivesinRome.")], TWICE)
    assert len(again.doubled) == 1


def test_an_id_says_which_of_equal_texts() -> None:
    said = answer(text="Ada lives in Rome .", id="c")
    assert fit([said], TWICE).answers == (None, None, said)
    alone = answer(id="c")
    assert fit([alone], TWICE).answers == (None, None, alone)


def test_a_text_of_another_example_is_not_taken_for_its_id() -> None:
    fitted = fit([answer(id="a", text="Something else .")], TWICE)
    assert not fitted.any
    assert len(fitted.unknown) == 1


def test_missing_doubled_and_unknown_are_counted() -> None:
    right, wrong = Claim(LIVES, ("Ada", "Rome")), Claim(LIVES, ("Rome", "Ada"))
    found = score(
        file_of(answer(right, id="a"), answer(wrong, id="a"), answer(id="z")),
        gold_of(TWICE),
        "exact",
    )
    brought = found.brought
    assert (brought.missing, brought.doubled, brought.unknown) == (2, 1, 1)
    assert brought.samples == {"missing": "b", "doubled": "record 1: a", "unknown": "record 1: z"}
    assert found.evaluation.exact.model_dump() == {"correct": 1, "predicted": 1, "gold": 3}


def test_what_is_not_in_the_text_is_wrong_and_counts() -> None:
    said = answer(Claim(LIVES, ("Ada", "Mars")), Claim("likes", ("Ada", "Rome")), id="a")
    found = score(file_of(said), gold_of(TWICE), "exact")
    assert found.evaluation.exact.predicted == 2
    assert found.evaluation.exact.correct == 0
    assert (found.brought.unplaced, found.brought.strange) == (1, {"likes": 1})
    assert found.outcomes[0].predicted[0] == ["Ada", LIVES, "Mars", 1.0]


def test_words_that_stand_twice_are_taken_first_and_told() -> None:
    text = sentence("t", "Rome , not Rome in Italy .", ("Rome", PART, "Italy"))
    gold = replace(text, triples=(text.triples[0]._replace(head=Span(3, 4)),))
    said = file_of(answer(Claim(PART, ("Rome", "Italy")), id="t"))
    found = score(said, gold_of([gold]), "exact")
    assert (found.evaluation.exact.correct, found.brought.ambiguous) == (0, 1)
    assert found.brought.by_words is not None
    assert found.brought.by_words.f1 == 1
    by_words = score(said, gold_of([gold], matching="surface"), "exact")
    assert (by_words.evaluation.exact.correct, by_words.brought.ambiguous) == (1, 0)


def test_entities_that_are_named_twice_are_two() -> None:
    gold = Sentence("x", ("Rome", "or", "Rome"), entities=(Entity(Span(2, 3), "LOC"),))
    claim = Claim("LOC", ("Rome",))
    found = score(file_of(answer(claim, claim, claim, id="x")), gold_of([gold], "ner"), "exact")
    assert found.evaluation.exact.model_dump() == {"correct": 1, "predicted": 2, "gold": 1}


def test_hallucinated_entities_count_each() -> None:
    said = answer(Claim("LOC", ("Atlantis",)), Claim("LOC", ("Mu",)), id="flat")
    found = score(file_of(said), gold_of(NESTED, "ner"), "exact")
    assert found.evaluation.exact.predicted == found.evaluation.partial.predicted == 2
    assert found.evaluation.slices["nested"]["flat"].predicted == 2


def test_facts_by_names_and_by_indices() -> None:
    said = answer(
        Claim(BORN, ("Ada", "London")),
        Claim(LIVES, (0, 2)),
        Claim(LIVES, ("Ada", "Atlantis")),
        id="across",
    )
    found = score(file_of(said), gold_of(DOCUMENTS, "docre"), "exact")
    assert found.evaluation.exact.correct == 2
    assert found.evaluation.exact.predicted == 3
    assert found.evaluation.measures["ign_f1"] == pytest.approx(found.evaluation.exact.f1)


@pytest.mark.parametrize(
    ("examples", "task", "said", "cause"),
    [
        (TWICE, "triples", answer(Claim(LIVES, (Span(0, 1), Span(3, 9))), id="a"), "from 3 to 9"),
        (TWICE, "triples", answer(Claim(LIVES, (0, 1)), id="a"), "is an index of a given entity"),
        (TWICE, "triples", answer(Claim("LOC", ("Ada",)), id="a"), "names one span, and the task"),
        (NESTED, "ner", answer(Claim("r", ("a", "b")), id="flat"), "names head and tail"),
        (DOCUMENTS, "docre", answer(Claim("r", (0, 9)), id="across"), "9 is not an index of the 4"),
        (
            DOCUMENTS,
            "docre",
            answer(Claim("r", (Span(0, 1), Span(1, 2))), id="across"),
            "facts are between given entities",
        ),
        (
            TWICE,
            "triples",
            answer(Claim(LIVES, (Span(0, 1), Span(1, 2))), words=("Ada", "lives", "inRome", ".")),
            "'inRome' where that has 'in'",
        ),
        (TWICE, "triples", answer(id="z"), "none of its 1 records is about a test example"),
        (
            TWICE,
            "triples",
            answer(id="a", gold=(Claim(LIVES, ("Eve", "Rome")),)),
            "in 1 of 1 records the file's own gold is not that of small",
        ),
        ([SENTENCES[4]], "triples", answer(id="none"), "has no labels here"),
    ],
)
def test_what_an_example_cannot_have_is_refused(
    examples: Sequence[Example], task: str, said: Answer, cause: str
) -> None:
    with pytest.raises(SuiteError) as refused:
        score(file_of(said), gold_of(examples, task), "exact")
    assert cause in refused.value.cause
    assert "file.jsonl" in str(refused.value.where)
    assert refused.value.remedy


def test_words_are_found_by_their_letters_where_white_space_differs() -> None:
    words = ("In", "St.", "John", "'s", ",", "N.L", ".")
    assert place(words, "St. John's") == Span(1, 4)
    assert place(words, "N.L.") == Span(5, 7)
    assert place(words, "ohn's") is None, "it begins within a word"
    assert occurrences(("a", "b", "a"), "a") == [Span(0, 1), Span(2, 3)]
    assert occurrences(("a",), "  ") == []
