"""The synthetic corpus: the same on every machine, fair in kinds, decidable from context."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import ClassVar

import pytest

from suite.datasets.dataset import Dataset, Split
from suite.datasets.synthetic.grammar import CUES, OVERLAPPING, PATTERNS, PHRASES
from suite.datasets.synthetic.names import NAME_FUNCTION_WORDS
from suite.datasets.synthetic.triples import LONGEST, SHORTEST, make_dataset
from suite.tasks.examples import Sentence, Span
from tests.suite.datasets.synthetic_contract import SyntheticContract


@pytest.fixture(scope="module")
def corpus() -> Dataset:
    return make_dataset()


def sentences(split: Split) -> list[Sentence]:
    return [e for e in split.examples if isinstance(e, Sentence)]


def surface(sentence: Sentence, span: Span) -> tuple[str, ...]:
    return sentence.words[slice(*span)]


class TestTriples(SyntheticContract):
    make = staticmethod(make_dataset)
    golden: ClassVar = {
        "train": "723ceb3cc5223e188ded245b3e3fbffaa7eb1b1f5b8a7a42ccbd2511e3380822",
        "dev": "245ae501c08a7e8563542ec3d28c70e548833952e188b56f7baa8c50d7e79b00",
        "test": "d870dd2edf7b7e08b820b9ab8ff66fa78bdda30f0c6edf5919508b276c3d24bb",
    }
    sizes: ClassVar = {"train": 2000, "dev": 250, "test": 500}
    task = "triples"
    unit = "sentences"


def test_no_word_of_a_name_is_shared_between_splits(corpus):
    words = {
        split.name: {w.lower() for s in sentences(split) for w in s.words}
        for split in corpus.splits
    }
    for split in corpus.splits:
        named = {
            word.lower()
            for s in sentences(split)
            for entity in s.entities
            for word in surface(s, entity.span)
        }
        for other in words.keys() - {split.name}:
            assert named & words[other] <= NAME_FUNCTION_WORDS


def test_names_have_one_to_four_words_and_some_occur_once_in_train(corpus):
    lengths = Counter(e.span.end - e.span.start for s in sentences(corpus.test) for e in s.entities)
    assert set(lengths) == {1, 2, 3, 4}
    assert min(lengths.values()) > 0.03 * lengths.total()
    train = Counter(w.lower() for s in sentences(corpus.train) for w in s.words)
    names = [
        w.lower()
        for s in sentences(corpus.train)
        for e in s.entities
        for w in surface(s, e.span)
        if w not in NAME_FUNCTION_WORDS
    ]
    once = sum(train[w] == 1 for w in names) / len(names)
    assert once > 0.4, "the unknown word's vector needs training words that occur once"


def test_words_around_names_occur_in_train(corpus):
    train = {w.lower() for s in sentences(corpus.train) for w in s.words}
    for split in (corpus.dev, corpus.test):
        for s in sentences(split):
            inside = {i for e in s.entities for i in range(*e.span)}
            unseen = {w for i, w in enumerate(s.words) if i not in inside} - train
            assert {w for w in unseen if w.lower() not in train} == set(), s.id


def test_sentences_are_tokenised_and_of_the_promised_length(corpus):
    for split in corpus.splits:
        for s in sentences(split):
            assert SHORTEST <= len(s.words) <= LONGEST
            assert all(re.fullmatch(r"[A-Za-z]+\.?|[0-9]+|[.,;&]", w) for w in s.words), s.words
            assert s.words[0][0].isupper()
            assert s.words[-1] == "."
    lengths = [len(s.words) for s in sentences(corpus.test)]
    assert min(lengths) <= 8
    assert max(lengths) >= 42


def test_spans_are_typed_words_of_the_sentence(corpus):
    schema = corpus.schema
    for split in corpus.splits:
        for s in sentences(split):
            types = {e.span: e.type for e in s.entities}
            assert len(types) == len(s.entities)
            ordered = sorted(types)
            assert all(0 <= a < b <= len(s.words) for a, b in ordered)
            assert all(a.end < b.start for a, b in pairwise(ordered))
            assert len(set(s.triples)) == len(s.triples)
            for t in s.triples:
                assert types[t.head] in schema.head_types[t.relation], (s.id, t)
                assert types[t.tail] in schema.entity_types
                assert t.head != t.tail
            assert not s.unplaced


def test_a_relation_has_one_tail_type(corpus):
    found: dict[str, set[str]] = {}
    for s in sentences(corpus.train):
        types = {e.span: e.type for e in s.entities}
        for t in s.triples:
            found.setdefault(t.relation, set()).add(types[t.tail])
    assert {p.relations[0]: {p.tail} for p in PATTERNS} == found


def test_gold_is_the_first_of_the_few_names_that_occur_twice(corpus):
    twice = 0
    for split in corpus.splits:
        for s in sentences(split):
            places: dict[tuple[str, ...], list[Span]] = {}
            for e in s.entities:
                places.setdefault(surface(s, e.span), []).append(e.span)
            words = [w for name in places for w in name if w not in NAME_FUNCTION_WORDS]
            assert len(words) == len(set(words)), f"{s.id}: two names share a word"
            twice += any(len(spans) > 1 for spans in places.values())
            for span in {span for t in s.triples for span in (t.head, t.tail)}:
                assert span == min(places[surface(s, span)])
    assert 0.02 < twice / 2750 < 0.1


def test_no_text_has_two_gold_sets(corpus):
    texts = [s.words for split in corpus.splits for s in sentences(split)]
    assert len(set(texts)) == len(texts)


def test_the_context_alone_decides_types_and_relations():
    """With every name replaced by one word, equal texts have equal gold."""
    known: dict[str, object] = {}
    repeated = 0
    for s in sentences(make_dataset(seed=5, train=10000, dev=1, test=1).train):
        spans = sorted(e.span for e in s.entities)
        number = {span: i for i, span in enumerate(spans)}
        words = list(s.words)
        for span in reversed(spans):
            words[slice(*span)] = ["NAME"]
        gold = (
            [e.type for e in sorted(s.entities)],
            sorted((number[t.head], t.relation, number[t.tail]) for t in s.triples),
        )
        text = " ".join(words)
        repeated += text in known
        assert known.setdefault(text, gold) == gold, text
    assert repeated > 500, "too few equal texts to tell"


def test_boundaries_of_names_can_be_told():
    """No two names touch, and no function word of names follows a name without belonging to it."""
    wordings = [w for group in (*CUES.values(), *PHRASES.values()) for w in group]
    for p in PATTERNS + OVERLAPPING:
        wordings += [*p.verbs, *p.inverse, *p.nouns, *p.plural, *p.several, *p.negations]
    for wording in wordings:
        for alternative in re.sub(r"\(([^()]*)\)", r"\1", wording).split("|"):
            after = re.findall(r"@\w+!? +(\S+)", alternative)
            assert not any(w in NAME_FUNCTION_WORDS or w[0] == "@" for w in after), wording


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_every_relation_is_there_in_fair_number(corpus, split):
    counts = Counter(t.relation for s in sentences(getattr(corpus, split)) for t in s.triples)
    assert set(counts) == set(corpus.schema.relations)
    assert len(counts) == 12
    assert min(counts.values()) > 0.03 * counts.total()
    assert max(counts.values()) < 0.2 * counts.total()


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_overlap_patterns_are_there_in_fair_number(corpus, split):
    examples = sentences(getattr(corpus, split))
    kinds: Counter[str] = Counter()
    for s in examples:
        pairs = {(t.head, t.tail) for t in s.triples}
        ends = [span for pair in pairs for span in pair]
        epo, seo = len(pairs) < len(s.triples), len(set(ends)) < len(ends)
        kinds["EPO"] += epo
        kinds["SEO"] += seo
        kinds["normal"] += bool(s.triples) and not epo and not seo
        kinds["none"] += not s.triples
        kinds["no entity"] += not s.entities
        kinds["entities, no triple"] += bool(s.entities) and not s.triples
    share = {kind: n / len(examples) for kind, n in kinds.items()}
    assert share["normal"] > 0.25
    assert share["SEO"] > 0.25
    assert share["EPO"] > 0.1
    assert share["none"] > 0.1
    assert share["no entity"] > 0.01
    assert share["entities, no triple"] > 0.08
    assert getattr(corpus, split).problems.empty == kinds["none"]


def test_heads_and_tails_come_in_both_orders_and_at_many_distances(corpus):
    triples = [t for s in sentences(corpus.test) for t in s.triples]
    tail_first = sum(t.tail < t.head for t in triples) / len(triples)
    assert 0.12 < tail_first < 0.5
    distances = [max(t.head.start - t.tail.end, t.tail.start - t.head.end) for t in triples]
    assert sum(d <= 3 for d in distances) / len(distances) > 0.15
    assert sum(d >= 8 for d in distances) / len(distances) > 0.15


def test_relations_are_denied_in_words_that_state_them_elsewhere(corpus):
    """A system that only looks for predicates and types is wrong on a fair share of sentences."""
    denials = re.compile(r"\b(not|never|no|failed|refused|hoped|would like|wrongly|turned down)\b")
    denied = [s for s in sentences(corpus.train) if denials.search(" ".join(s.words))]
    assert len(denied) > 0.1 * len(corpus.train.examples)
    assert any(s.triples for s in denied)
    assert any(not s.triples for s in denied)
    bystanders = sum(
        len({e.span for e in s.entities} - {x for t in s.triples for x in (t.head, t.tail)})
        for s in sentences(corpus.train)
    )
    assert bystanders > 0.5 * len(corpus.train.examples)
