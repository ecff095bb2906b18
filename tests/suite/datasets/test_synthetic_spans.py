"""The synthetic spans: the same on every machine, nested in every way, with one reading each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise, product
from typing import ClassVar

import pytest

from suite.datasets.dataset import Dataset, Split
from suite.datasets.statistics import statistics
from suite.datasets.synthetic.grammar import NESTINGS
from suite.datasets.synthetic.names import NAME_FUNCTION_WORDS
from suite.datasets.synthetic.spans import DEPTH, LONGEST, SHORTEST, make_spans
from suite.datasets.synthetic.triples import make_dataset
from suite.tasks.examples import Entity, Sentence, Span
from tests.suite.datasets.synthetic_contract import SyntheticContract

IN_NAMES = {
    word
    for group in NESTINGS.values()
    for wording in group
    for word in wording.split()
    if word[0] != "@"
}
"""Words that are part of names in every split."""


@pytest.fixture(scope="module")
def corpus() -> Dataset:
    return make_spans()


def sentences(split: Split) -> list[Sentence]:
    return [e for e in split.examples if isinstance(e, Sentence)]


def holds(outer: Span, inner: Span) -> bool:
    return outer != inner and outer.start <= inner.start and inner.end <= outer.end


def nestings(sentence: Sentence) -> list[tuple[Entity, Entity]]:
    """Every entity with each one that it holds."""
    return [(a, b) for a, b in product(sentence.entities, repeat=2) if holds(a.span, b.span)]


def outermost(sentence: Sentence) -> list[Entity]:
    return [
        e for e in sentence.entities if not any(holds(o.span, e.span) for o in sentence.entities)
    ]


class TestSpans(SyntheticContract):
    make = staticmethod(make_spans)
    golden: ClassVar = {
        "train": "7af3f7d69ee8137502f1051c97f48cd37759f944d1d5d0f3e507c4e3c79d68ac",
        "dev": "6e5707cb07935f873de84ee4c7480b4de65bd921d97cf19f0212dbab4d040a33",
        "test": "c303740a33a2915b9cdc28bea1ff114378259d51993c3682ea4f14a39db45042",
    }
    sizes: ClassVar = {"train": 800, "dev": 200, "test": 400}
    task = "ner"
    unit = "sentences"


def test_no_sentence_is_of_the_corpus_of_triples():
    ours, triples = make_spans(0, 50, 10, 10), make_dataset(0, 50, 10, 10)
    for a, b in zip(ours.splits, triples.splits, strict=True):
        assert not {s.words for s in sentences(a)} & {s.words for s in sentences(b)}


def test_no_made_word_of_a_name_is_shared_between_splits(corpus):
    words = {s.name: {w.lower() for e in sentences(s) for w in e.words} for s in corpus.splits}
    for split in corpus.splits:
        named = {
            word.lower()
            for s in sentences(split)
            for entity in s.entities
            for word in s.words[slice(*entity.span)]
            if word not in IN_NAMES
        }
        for other in words.keys() - {split.name}:
            assert named & words[other] <= NAME_FUNCTION_WORDS


def test_words_that_are_not_made_occur_in_train(corpus):
    train = {w.lower() for s in sentences(corpus.train) for w in s.words}
    assert {w.lower() for w in IN_NAMES} <= train
    for split in (corpus.dev, corpus.test):
        for s in sentences(split):
            inside = {i for e in s.entities for i in range(*e.span)}
            assert {w.lower() for i, w in enumerate(s.words) if i not in inside} <= train, s.id


def test_spans_are_typed_words_that_nest_or_are_apart(corpus):
    for split in corpus.splits:
        for s in sentences(split):
            assert SHORTEST <= len(s.words) <= LONGEST
            assert s.words[0][0].isupper()
            assert s.words[-1] == "."
            assert not s.triples
            assert len({e.span for e in s.entities}) == len(s.entities), "a span of two types"
            for e in s.entities:
                assert 0 <= e.span.start < e.span.end <= len(s.words)
                assert e.type in corpus.schema.entity_types
            for a, b in combinations([e.span for e in s.entities], 2):
                apart = a.end <= b.start or b.end <= a.start
                assert apart or holds(a, b) or holds(b, a), (s.id, a, b)


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_every_kind_of_nesting_is_there_in_fair_number(corpus, split):
    examples = sentences(getattr(corpus, split))
    pairs = [pair for s in examples for pair in nestings(s)]
    entities = sum(len(s.entities) for s in examples)
    inner = sum(
        any(holds(o.span, e.span) for o in s.entities) for s in examples for e in s.entities
    )
    assert 0.2 < inner / entities < 0.4
    same = [(a, b) for a, b in pairs if a.type == b.type]
    assert len(same) / len(pairs) > 0.1
    assert {a.type for a, _ in same} == set(corpus.schema.entity_types)
    assert {a.type for a, b in pairs if a.type != b.type} == set(corpus.schema.entity_types)
    starts = sum(a.span.start == b.span.start for a, b in pairs) / len(pairs)
    ends = sum(a.span.end == b.span.end for a, b in pairs) / len(pairs)
    assert starts > 0.2
    assert ends > 0.3
    flat = sum(bool(s.entities) and not nestings(s) for s in examples) / len(examples)
    assert 0.2 < flat < 0.6
    none = sum(not s.entities for s in examples)
    assert none / len(examples) > 0.01
    assert getattr(corpus, split).problems.empty == none


def test_names_nest_up_to_the_promised_depth(corpus):
    depths = Counter(
        1 + sum(holds(o.span, e.span) for o in s.entities)
        for s in sentences(corpus.train)
        for e in s.entities
    )
    assert set(depths) == set(range(1, DEPTH + 1))
    assert depths[DEPTH] > 100
    for s in sentences(corpus.train):
        assert all(a != b for a, b in pairwise(s.words)), "a wording right within itself"


def test_types_come_in_fair_number(corpus):
    for split in corpus.splits:
        counts = Counter(e.type for s in sentences(split) for e in s.entities)
        assert set(counts) == set(corpus.schema.entity_types)
        assert min(counts.values()) > 0.08 * counts.total()


def readings(kind: str, around: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[Entity, ...]]]:
    """Every name of a type and what it holds, itself included; names without names are `NAME`."""
    yield "NAME", (Entity(Span(0, 1), kind),)
    if len(around) + 1 == DEPTH:
        return
    for wording in NESTINGS[kind]:
        if wording in around:
            continue
        slots = [
            list(readings(part[1:], (*around, wording))) if part[0] == "@" else [(part, ())]
            for part in wording.split()
        ]
        for parts in product(*slots):
            words: list[str] = []
            held: list[Entity] = []
            for text, entities in parts:
                held += [Entity(Span(*(len(words) + x for x in e.span)), e.type) for e in entities]
                words += text.split()
            yield " ".join(words), (Entity(Span(0, len(words)), kind), *held)


def test_a_name_that_holds_names_has_one_reading(corpus):
    found: dict[str, set[tuple[Entity, ...]]] = {}
    for kind in corpus.schema.entity_types:
        for text, entities in readings(kind):
            if text != "NAME":
                found.setdefault(text, set()).add(entities)
    assert len(found) > 60
    assert {text: read for text, read in found.items() if len(read) > 1} == {}


def test_the_context_alone_decides_spans_and_types():
    """With every name that holds none replaced by one word, equal texts have equal gold."""
    known: dict[str, list[Entity]] = {}
    repeated = 0
    for s in sentences(make_spans(seed=5, train=6000, dev=1, test=1).train):
        inner = [e.span for e in s.entities if not any(holds(e.span, o.span) for o in s.entities)]
        # Where each word stands in the text with names replaced.
        place, words = [], []
        for i, word in enumerate(s.words):
            inside = next((span for span in inner if span.start <= i < span.end), None)
            if inside is None or i == inside.start:
                words.append("NAME" if inside else word)
            place.append(len(words) - 1)
        gold = sorted(
            Entity(Span(place[e.span.start], place[e.span.end - 1] + 1), e.type) for e in s.entities
        )
        text = " ".join(words)
        repeated += text in known
        assert known.setdefault(text, gold) == gold, text
    assert repeated > 100, "too few equal texts to tell"


def test_names_do_not_touch_one_another(corpus):
    for s in sentences(corpus.train):
        flat = sorted(
            e.span for e in s.entities if not any(holds(e.span, o.span) for o in s.entities)
        )
        ends = {span.end for span in flat}
        assert not ends & {span.start for span in flat}, s.id


def test_statistics_count_what_is_nested(corpus):
    counts = statistics(corpus, max_words=100)
    for split in corpus.splits:
        of_split = getattr(counts, split.name)
        assert of_split.examples == len(split.examples)
        assert of_split.nested == sum(len(s.entities) - len(outermost(s)) for s in sentences(split))
        assert of_split.beyond == of_split.entities_beyond == 0
    assert counts.dev.seen_share == counts.test.seen_share == 0
