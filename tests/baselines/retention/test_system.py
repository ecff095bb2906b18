"""Retention under the contract, and against a search through all of train."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given as drawn
from hypothesis import strategies as st

from baselines.retention.memory import Memory
from baselines.retention.system import Retention, RetentionSettings
from suite.systems.contract import Resources, predict
from suite.tasks.examples import Document, Entity, Fact, Sentence, Span, Triple
from suite.tasks.ranking import rank
from suite.tasks.registry import find_task
from suite.tasks.schema import Schema
from tests.contract import MemoryContract
from tests.corpus import (
    BORN,
    DOCUMENTS,
    FACT_SCHEMA,
    HARD,
    LIVES,
    NESTED_HEADS,
    PART,
    SCHEMA,
    SENTENCES,
    SPAN_SCHEMA,
    sentence,
    spans,
    vectors,
)


class TestRetentionOnTriples(MemoryContract):
    system = Retention
    # Other sentences say more of their names; see below.
    beyond = frozenset({"one", "adjacent", "two heads", "many"})
    lost = NESTED_HEADS  # a name within a name is not found

    def test_what_other_sentences_say_is_said_too(self) -> None:
        examples = {e.id: e for e in self.examples}
        found = predict(self.fitted(), self.fitted().encode([examples["one"], examples["many"]]))
        one, many = ({p.item for p in row} for row in found)
        assert one - self.gold(examples["one"]) == {Triple(Span(0, 2), BORN, Span(4, 5))}
        assert many - self.gold(examples["many"]) == {Triple(Span(10, 11), PART, Span(10, 11))}


class TestRetentionOnDocuments(MemoryContract):
    system = Retention
    task = "docre"


class TestRetentionOnSpans(MemoryContract):
    system = Retention
    task = "ner"
    # A name within a name is not found, and a name has its commonest type alone.
    lost = frozenset({"nested", "same type within", "same span"})


def made(schema: Schema, *train: Sentence | Document) -> Retention:
    system = Retention(RetentionSettings(), schema, Resources(vectors(), None, max_words=30))
    system.memorise(train)
    return system.eval()


def said(system: Retention, example: Sentence | Document) -> dict[object, float]:
    (row,) = predict(system, system.encode([example.bare()]))
    return {p.item: p.score for p in row}


def test_scores_are_shares_of_what_relates_the_two_names() -> None:
    """Once for each sentence, however often it says so."""
    ada = ("Ada lives in Rome", "Rome has Ada", "in Rome was Ada born")
    train = [sentence(str(i), text, ("Ada", LIVES, "Rome")) for i, text in enumerate(ada)]
    both = sentence("both", "Ada Rome", ("Ada", LIVES, "Rome"), ("Ada", BORN, "Rome"))
    found = said(made(SCHEMA, *train, both), sentence("new", "Rome , and Ada"))
    place = Span(3, 4), Span(0, 1)
    assert found == {
        Triple(place[0], LIVES, place[1]): 1.0,
        Triple(place[0], BORN, place[1]): 0.25,
    }


def test_the_longest_name_counts_at_its_first_place() -> None:
    train = [
        sentence("short", "York is in England", ("York", PART, "England")),
        sentence("long", "New York is in America", ("New York", PART, "America")),
    ]
    text = "England and America know New York and York , or New York"
    found = said(made(SCHEMA, *train), sentence("new", text))
    assert set(found) == {
        Triple(Span(4, 6), PART, Span(2, 3)),
        Triple(Span(7, 8), PART, Span(0, 1)),
    }


def test_a_type_is_the_commonest_of_a_name() -> None:
    counted = {"PER": 2, "LOC": 2, "ORG": 1}
    train = [
        spans(f"{kind} {i}", f"{kind} {i} Washington", (2, 3, kind))
        for kind, count in counted.items()
        for i in range(count)
    ]
    found = said(made(SPAN_SCHEMA, *train), spans("new", "Washington and Washington"))
    share = pytest.approx(0.4)
    assert found == {Entity(Span(i, i + 1), "LOC"): share for i in (0, 2)}, "the schema's first"


def test_facts_between_entities_are_known_by_any_of_their_names() -> None:
    """Which are those that Ign F1 leaves out."""
    system = made(FACT_SCHEMA, *DOCUMENTS)
    scores = [s.numpy() for s in system.fact_scores(system.encode(DOCUMENTS))]
    in_train = find_task("docre").all_wordings(DOCUMENTS)
    ranking = rank(DOCUMENTS, scores, FACT_SCHEMA.relations, in_train)
    theta = ranking.theta()
    system.decide_at(theta)
    assert theta == 1.0
    assert ranking.f1(theta) == 1.0
    assert ranking.ign_f1(theta) == 0.0
    across = next(d for d in DOCUMENTS if d.id == "across")
    assert set(said(system, across)) == {f._replace(evidence=()) for f in across.facts}


def test_documents_of_other_names_have_no_facts() -> None:
    """Not all of them, as a theta of 0 would have it."""
    system = made(FACT_SCHEMA)
    scores = [s.numpy() for s in system.fact_scores(system.encode(DOCUMENTS))]
    theta = rank(DOCUMENTS, scores, FACT_SCHEMA.relations, frozenset()).theta()
    assert theta == 1.0
    system.decide_at(theta)
    assert not any(said(system, document) for document in DOCUMENTS)


WORDS = "abcd"
NAMES = st.lists(st.text(WORDS, min_size=1, max_size=3), min_size=1, max_size=6, unique=True)


@drawn(NAMES, st.text(WORDS, max_size=12))
def test_names_are_found_as_a_search_at_every_word_finds_them(names: list[str], text: str) -> None:
    memory = Memory(tuple(map(tuple, names)))
    expected, start = [], 0
    while start < len(text):
        here = [name for name in names if text.startswith(name, start)]
        if here:
            longest = max(here, key=len)
            expected.append((start, start + len(longest), names.index(longest)))
            start += len(longest)
        else:
            start += 1
    assert memory.find(tuple(text)) == expected


def corpus(seed: int, count: int) -> list[Sentence]:
    """Sentences over so few words that names come back, within one another too."""
    draws = random.Random(seed)
    found = []
    for number in range(count):
        words = tuple(draws.choices(WORDS, k=draws.randrange(3, 9)))
        places = [
            Span(start, draws.randrange(start + 1, min(start + 3, len(words)) + 1))
            for start in range(len(words))
        ]
        triples = {
            Triple(draws.choice(places), draws.choice(SCHEMA.relations), draws.choice(places))
            for _ in range(draws.randrange(3))
        }
        found.append(Sentence(str(number), words, tuple(sorted(triples))))
    return found


def slowly(train: Sequence[Sentence], example: Sentence) -> dict[Triple, float]:
    """Every triple of train whose two names are found, with its share; a scan for each."""

    def name(of: Sentence, span: Span) -> tuple[str, ...]:
        return of.words[span.start : span.end]

    told: Counter[tuple[object, str, object]] = Counter()
    related: defaultdict[tuple[object, object], int] = defaultdict(int)
    for each in train:
        triples = {(name(each, t.head), t.relation, name(each, t.tail)) for t in each.triples}
        told.update(triples)
        for pair in {(head, tail) for head, _, tail in triples}:
            related[pair] += 1
    names = {name for head, _, tail in told for name in (head, tail)}
    first: dict[object, Span] = {}
    start = 0
    while start < len(example.words):
        ends = range(len(example.words), start, -1)
        end = next((e for e in ends if name(example, Span(start, e)) in names), None)
        if end is not None:
            first.setdefault(name(example, Span(start, end)), Span(start, end))
        start = end or start + 1
    return {
        Triple(first[head], relation, first[tail]): count / related[head, tail]
        for (head, relation, tail), count in told.items()
        if head in first and tail in first
    }


@pytest.mark.parametrize("seed", range(5))
def test_it_says_what_a_scan_over_train_says(seed: int) -> None:
    train, test = corpus(seed, 12), corpus(seed + 100, 12)
    system = made(SCHEMA, *train)
    found = [said(system, example) for example in test]
    assert any(found)
    for example, row in zip(test, found, strict=True):
        assert row == pytest.approx(slowly(train, example)), example


def test_its_state_is_tensors_and_gives_it_back() -> None:
    system = made(SCHEMA, *SENTENCES, *HARD)
    state = system.state_dict()
    assert all(isinstance(part, torch.Tensor) for part in state.values())
    other = made(SCHEMA)
    other.load_state_dict(state)
    assert other.memory == system.memory
    for example in SENTENCES:
        assert said(other, example) == said(system, example)


def test_a_fact_of_an_entity_with_itself_is_not_said() -> None:
    first = DOCUMENTS[0]
    loop = Document("loop", "loop", first.words, (0,), first.entities, (Fact(0, LIVES, 0),))
    assert said(made(FACT_SCHEMA, loop), first) == {}
