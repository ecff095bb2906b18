"""What train knew of an item: by hand, against a slow re-statement, and on real data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.datasets import load_dataset
from suite.tasks.examples import Document, Entity, Sentence, Span, SurfaceTriple
from suite.tasks.familiarity import BOTH, NEITHER, ONE, PAIR, Known, familiarity
from suite.tasks.registry import find_task
from suite.tasks.task import Task
from tests.corpus import BORN, DOCUMENTS, LIVES, PART, SENTENCES, document, sentence, spans

TRIPLES, FACTS, ENTITIES = (find_task(name) for name in ("triples", "docre", "ner"))


@pytest.mark.parametrize(
    ("text", "triple", "bin_"),
    [
        ("Ada Lovelace lives in London .", ("Ada Lovelace", LIVES, "London"), "triple"),
        ("Ada Lovelace is from London .", ("Ada Lovelace", PART, "London"), PAIR),
        ("London made Ada Lovelace .", ("London", PART, "Ada Lovelace"), PAIR),
        ("Ada Lovelace lives in Vienna .", ("Ada Lovelace", LIVES, "Vienna"), BOTH),
        ("Ada Lovelace lives in Lagos .", ("Ada Lovelace", LIVES, "Lagos"), ONE),
        ("Ada lives in Lagos .", ("Ada", LIVES, "Lagos"), NEITHER),
    ],
)
def test_triples_by_hand(text: str, triple: tuple[str, str, str], bin_: str) -> None:
    example = sentence("new", text, triple)
    assert TRIPLES.familiarity(example, example.triples[0], TRIPLES.known(SENTENCES)) == bin_


def test_what_has_no_place_is_known_by_its_words() -> None:
    train = [Sentence("a", ("Nothing",), unplaced=(SurfaceTriple("Ada", LIVES, "Rome"),))]
    known = TRIPLES.known(train)
    example = sentence("b", "Ada left Rome .", ("Ada", LIVES, "Rome"), ("Ada", BORN, "Rome"))
    assert [TRIPLES.familiarity(example, t, known) for t in example.triples] == ["triple", PAIR]


def test_an_entity_without_a_relation_is_known() -> None:
    train = [Sentence("a", ("Oslo", "sleeps"), entities=(Entity(Span(0, 1), "LOC"),))]
    example = sentence("b", "Oslo lies in Norway .", ("Oslo", PART, "Norway"))
    assert TRIPLES.familiarity(example, example.triples[0], TRIPLES.known(train)) == ONE


def test_facts_are_known_by_any_name_of_a_mention() -> None:
    test = document(
        "new",
        "Ada came to Surrey . Miss A lived in London , England .",
        {
            "Miss A": ("PER", [(0, 1), (5, 7)]),
            "Surrey": ("LOC", [(3, 4)]),
            "London": ("LOC", [(9, 10)]),
            "England": ("LOC", [(11, 12)]),
        },
        ("Miss A", LIVES, "Surrey"),
        ("Miss A", PART, "London"),
        ("Miss A", LIVES, "England"),
    )
    known = FACTS.known(DOCUMENTS)
    assert [FACTS.familiarity(test, fact, known) for fact in test.facts] == ["fact", PAIR, BOTH]


def test_entities_by_hand() -> None:
    train = spans("a", "Washington slept in Leeds .", (0, 1, "PER"), (3, 4, "LOC"))
    known = ENTITIES.known([train])
    test = spans("b", "Washington , Leeds , Bonn", (0, 1, "LOC"), (2, 3, "LOC"), (4, 5, "LOC"))
    found = [ENTITIES.familiarity(test, entity, known) for entity in test.entities]
    assert found == ["with another type", "with this type", "not in train"]


NAMES = st.sampled_from("abcd")
TRAIN = st.lists(st.tuples(NAMES, st.sampled_from("rs"), NAMES), max_size=4)


@given(TRAIN, st.sets(NAMES, max_size=3), st.sets(NAMES, min_size=1), st.sets(NAMES, min_size=1))
def test_against_a_slow_statement(
    train: list[tuple[str, str, str]], others: set[str], heads: set[str], tails: set[str]
) -> None:
    pairs = {(min(h, t), max(h, t)) for h, _, t in train}
    entities = {end for h, _, t in train for end in (h, t)} | others
    found = familiarity(
        heads, "r", tails, Known(frozenset(train), frozenset(pairs), frozenset(entities)), "itself"
    )
    if any(h in heads and r == "r" and t in tails for h, r, t in train):
        expected = "itself"
    elif any({h, t} == {x, y} for h, _, t in train for x in heads for y in tails):
        expected = PAIR
    else:
        there = [any(name in entities for name in end) for end in (heads, tails)]
        expected = BOTH if all(there) else ONE if any(there) else NEITHER
    assert found == expected


@pytest.mark.parametrize("name", ["webnlg", "nyt10", "conll04", "redocred"])
def test_bins_part_the_gold_of_real_data(shared_data: Path, name: str) -> None:
    dataset = load_dataset(name, shared_data)
    task = find_task(dataset.task)
    known = dataset.known_in_train
    counts = dict.fromkeys(task.familiarities, 0)
    for example in dataset.test.examples[:400]:
        for item in task.gold(example):
            bin_ = task.familiarity(example, item, known)
            counts[bin_] += 1
            if dataset.facts_in_train is None:
                seen = task.is_seen(example, item, dataset.wordings_in_train)
                assert seen is (bin_ == task.familiarities[0])
    assert sum(counts.values()) == sum(len(task.gold(e)) for e in dataset.test.examples[:400])
    assert all(isinstance(e, Document) for e in dataset.test.examples[:1]) is (name == "redocred")
    assert sum(count > 0 for count in counts.values()) >= 4, counts


@pytest.mark.parametrize(("task", "train"), [(TRIPLES, SENTENCES), (FACTS, DOCUMENTS)])
def test_train_knows_itself(task: Task[Any, Any], train: list[Any]) -> None:
    known = task.known(train)
    for example in train:
        for item in task.gold(example):
            assert task.familiarity(example, item, known) == task.familiarities[0]
