"""The synthetic documents: the same on every machine, with facts that the text alone decides."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import ClassVar

import pytest

from suite.datasets.dataset import Dataset, Split
from suite.datasets.statistics import statistics
from suite.datasets.synthetic.documents import (
    ENTITIES,
    LONGEST,
    SENTENCES,
    make_documents,
)
from suite.datasets.synthetic.grammar import PATTERNS
from suite.datasets.synthetic.names import NAME_FUNCTION_WORDS
from suite.tasks.examples import Document, DocumentEntity, Fact, Span
from tests.suite.datasets.synthetic_contract import SyntheticContract

REFERENCE = re.compile(r"(?:This|The same) (person|firm|place|work) ")
REFERENCE_TYPES = {"person": "PER", "firm": "ORG", "place": "LOC", "work": "OTH"}
REFERENT = -1
ONE_TAIL = {"born_in", "headquartered_in", "capital_of"}
"""Relations that no head has with two tails."""

Statements = set[tuple[int, str, int]]


@pytest.fixture(scope="module")
def corpus() -> Dataset:
    return make_documents()


def documents(split: Split) -> list[Document]:
    return [e for e in split.examples if isinstance(e, Document)]


def sentence_spans(document: Document) -> list[Span]:
    return [Span(*ends) for ends in pairwise([*document.sentence_starts, len(document.words)])]


def surface(document: Document, span: Span) -> tuple[str, ...]:
    return document.words[slice(*span)]


def named_words(document: Document) -> set[str]:
    names = {word for entity in document.entities for word in entity.name.split()}
    return names - NAME_FUNCTION_WORDS


def mentioned(document: Document, sentence: int) -> list[tuple[Span, int]]:
    """Place and entity of each mention of a sentence, from left to right."""
    return sorted(
        (mention.span, number)
        for number, entity in enumerate(document.entities)
        for mention in entity.mentions
        if mention.sentence == sentence
    )


def masked(document: Document, sentence: int) -> str:
    """A sentence with NAME for each mention."""
    begin, end = sentence_spans(document)[sentence]
    words = list(document.words[begin:end])
    for span, _ in reversed(mentioned(document, sentence)):
        words[span.start - begin : span.end - begin] = ["NAME"]
    return " ".join(words)


def referent(document: Document, sentence: int) -> int | None:
    """The entity that a sentence speaks of without naming it: told by the sentence before."""
    found = REFERENCE.match(masked(document, sentence))
    if found is None:
        return None
    kind = REFERENCE_TYPES[found[1]]
    before = {number for _, number in mentioned(document, sentence - 1)}
    fitting = [number for number in before if document.entities[number].type == kind]
    assert len(fitting) == 1, (document.id, sentence)
    meant = REFERENCE.match(masked(document, sentence - 1))
    assert meant is None or REFERENCE_TYPES[meant[1]] != kind, "either may be meant"
    return fitting[0]


class TestDocuments(SyntheticContract):
    make = staticmethod(make_documents)
    golden: ClassVar = {
        "train": "18ae842ceb157f468f841f0e12301f6a7b1c27159fece5eba98a684b42b93c50",
        "dev": "d84d69cd545ad17d3bbc824a7bd5c0e6337d8b37649cf1aba74343d4230871b3",
        "test": "2639f3c782d254c6a8e934a1f771b706bc9c868be2462f3ef0b25c8a817b1468",
    }
    sizes: ClassVar = {"train": 600, "dev": 100, "test": 200}
    task = "docre"
    unit = "documents"


def test_no_word_of_a_name_is_shared_between_splits_or_documents(corpus):
    """So that a training vocabulary knows no name but those that one document says often."""
    words = {s.name: {w for d in documents(s) for w in d.words} for s in corpus.splits}
    for split in corpus.splits:
        uses = Counter(word for d in documents(split) for word in named_words(d))
        assert max(uses.values()) == 1
        for other in words.keys() - {split.name}:
            assert uses.keys().isdisjoint(words[other])


def test_words_around_mentions_occur_in_train(corpus):
    train = {w.lower() for d in documents(corpus.train) for w in d.words}
    for split in (corpus.dev, corpus.test):
        unseen, words = [], 0
        for d in documents(split):
            inside = {i for e in d.entities for m in e.mentions for i in range(*m.span)}
            outside = [w.lower() for i, w in enumerate(d.words) if i not in inside]
            unseen += [w for w in outside if w not in train]
            words += len(outside)
        assert len(unseen) < 0.002 * words, unseen


def test_documents_have_the_promised_sizes(corpus):
    sizes: Counter[int] = Counter()
    for split in corpus.splits:
        for d in documents(split):
            sizes[len(d.sentence_starts)] += 1
            assert len(d.entities) == 1 or ENTITIES[0] <= len(d.entities) <= ENTITIES[1], d.id
            assert d.sentence_starts[0] == 0
            for begin, end in sentence_spans(d):
                assert 1 < end - begin <= LONGEST
                assert d.words[begin][0].isupper()
                assert d.words[end - 1] == "."
            assert all(re.fullmatch(r"[A-Za-z]+\.?|[0-9]+|[.,;&]", w) for w in d.words), d.words
    assert sorted(sizes) == list(range(SENTENCES[0], SENTENCES[1] + 1))
    counts = [len(d.entities) for d in documents(corpus.train)]
    assert {*range(ENTITIES[0], ENTITIES[1] + 1)} <= set(counts)
    assert 0.01 < counts.count(1) / len(counts) < 0.1


def test_every_mention_says_its_entity_by_name_or_by_its_first_or_last_word(corpus):
    shortened = again = 0
    for split in corpus.splits:
        for d in documents(split):
            first = [e.mentions[0].span for e in d.entities]
            assert first == sorted(first)
            for e in d.entities:
                assert e.type in corpus.schema.entity_types
                name = tuple(e.name.split())
                assert surface(d, e.mentions[0].span) == name
                assert list(e.mentions) == sorted(set(e.mentions))
                for m in e.mentions[1:]:
                    assert surface(d, m.span) in {name, name[:1], name[-1:]}, (d.id, e)
                    again += 1
                    shortened += surface(d, m.span) != name
                for m in e.mentions:
                    begin, end = sentence_spans(d)[m.sentence]
                    assert begin <= m.span.start < m.span.end < end
    assert again > 400
    assert 0.2 < shortened / again < 0.6


def test_a_word_of_a_name_names_one_entity_and_nothing_else(corpus):
    for split in corpus.splits:
        for d in documents(split):
            words = [w for e in d.entities for w in e.name.split() if w not in NAME_FUNCTION_WORDS]
            assert len(words) == len(set(words)), d.id
            spans = sorted(m.span for e in d.entities for m in e.mentions)
            assert all(a.end < b.start for a, b in pairwise(spans)), "mentions touch"
            inside = {i for span in spans for i in range(*span)}
            assert not {i for i, w in enumerate(d.words) if w in set(words)} - inside, d.id


def test_facts_fit_the_types_and_do_not_contradict_one_another(corpus):
    types = {p.relations[0]: (p.head, p.tail) for p in PATTERNS}
    assert corpus.schema.relations == tuple(types)
    for split in corpus.splits:
        for d in documents(split):
            triples = [fact[:3] for fact in d.facts]
            assert len(set(triples)) == len(triples)
            assert not {(t, r, h) for h, r, t in triples} & set(triples), d.id
            assert (
                max(Counter((h, r) for h, r, _ in triples if r in ONE_TAIL).values(), default=1)
                == 1
            )
            for head, relation, tail in triples:
                assert (d.entities[head].type, d.entities[tail].type) == types[relation]


def test_a_relation_is_stated_of_other_entities_in_one_sentence_alone(corpus):
    several = 0
    for split in corpus.splits:
        for d in documents(split):
            for relation in corpus.schema.relations:
                evidence = [set(f.evidence) for f in d.facts if f.relation == relation]
                several += len(evidence) > 1
                assert not evidence or set.intersection(*evidence), (d.id, relation)
    assert several > 100


def test_no_fact_is_denied(corpus):
    """Whatever stands between two mentions as a denial, the fact it denies is not gold."""
    denials = {
        negation.removesuffix(" @x"): p.relations[0] for p in PATTERNS for negation in p.negations
    }
    denied = 0
    for split in corpus.splits:
        for d in documents(split):
            triples = {fact[:3] for fact in d.facts}
            for sentence in range(len(d.sentence_starts)):
                for (a, head), (b, tail) in pairwise(mentioned(d, sentence)):
                    relation = denials.get(" ".join(d.words[a.end : b.start]))
                    denied += relation is not None
                    assert (head, relation, tail) not in triples, (d.id, sentence)
    assert denied > 100


def statements(document: Document, sentence: int) -> Statements:
    """What the evidence says that a sentence states, by the order of its mentions."""
    place = {entity: i for i, (_, entity) in enumerate(mentioned(document, sentence))}
    meant = referent(document, sentence)
    if meant is not None:
        assert meant not in place
        place[meant] = REFERENT
    return {
        (place[f.head], f.relation, place[f.tail])
        for f in document.facts
        if sentence in f.evidence and f.head in place and f.tail in place
    }


def test_the_context_alone_decides_types_and_facts():
    """With every mention replaced by one word, equal sentences state the same, and all facts."""
    known: dict[str, tuple[list[str], Statements]] = {}
    repeated = 0
    for d in documents(make_documents(seed=5, train=2500, dev=1, test=1).train):
        stated: set[tuple[int, str, int]] = set()
        for sentence in range(len(d.sentence_starts)):
            entities = [number for _, number in mentioned(d, sentence)]
            meant = referent(d, sentence)
            number = {**dict(enumerate(entities)), REFERENT: meant}
            here = statements(d, sentence)
            stated |= {(number[h], r, number[t]) for h, r, t in here}
            last = sentence + 1 == len(d.sentence_starts)
            if last or referent(d, sentence + 1) is None:
                # Otherwise the sentence may be evidence for what the next one states.
                gold = [d.entities[e].type for e in entities], here
                text = masked(d, sentence)
                repeated += text in known
                assert known.setdefault(text, gold) == gold, (d.id, text)
        assert stated == {fact[:3] for fact in d.facts}, d.id
    assert repeated > 1000, "too few equal sentences to tell"


def is_across(document: Document, fact: Fact) -> bool:
    head, tail = (
        {m.sentence for m in document.entities[side].mentions} for side in (fact.head, fact.tail)
    )
    return head.isdisjoint(tail)


def test_evidence_is_where_both_are_mentioned_or_one_is_referred_to(corpus):
    across = 0
    for split in corpus.splits:
        for d in documents(split):
            for f in d.facts:
                assert f.evidence
                assert list(f.evidence) == sorted(set(f.evidence))
                there = {e for s in f.evidence for _, e in mentioned(d, s)}
                assert {f.head, f.tail} <= there, (d.id, f)
                if is_across(d, f):
                    across += 1
                    assert referent(d, f.evidence[-1]) in (f.head, f.tail)
                    assert f.evidence[-1] - f.evidence[0] == 1 or len(f.evidence) > 2
    assert across > 100


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_every_kind_of_document_is_there_in_fair_number(corpus, split):
    examples = documents(getattr(corpus, split))
    facts = [(d, f) for d in examples for f in d.facts]
    assert 0.1 < sum(is_across(d, f) for d, f in facts) / len(facts) < 0.35
    referred_tail = sum(referent(d, f.evidence[-1]) == f.tail for d, f in facts)
    assert 0.02 < referred_tail / len(facts) < 0.2
    none = sum(not d.facts for d in examples)
    assert 0.03 < none / len(examples) < 0.2
    assert getattr(corpus, split).problems.empty == none
    assert 2 < len(facts) / len(examples) < 6
    entities = [e for d in examples for e in d.entities]
    assert 0.1 < sum(len(e.mentions) > 1 for e in entities) / len(entities) < 0.4
    in_facts = sum(len({end for f in d.facts for end in (f.head, f.tail)}) for d in examples)
    assert in_facts / len(entities) < 0.8, "too few entities without facts"


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_every_relation_is_there_in_fair_number(corpus, split):
    counts = Counter(f.relation for d in documents(getattr(corpus, split)) for f in d.facts)
    assert set(counts) == set(corpus.schema.relations)
    assert len(counts) == 12
    assert min(counts.values()) > 0.03 * counts.total()
    assert max(counts.values()) < 0.2 * counts.total()


def test_types_alone_tell_no_relation(corpus):
    """Among the pairs of a document whose types fit a relation, few have it."""
    types = {p.relations[0]: (p.head, p.tail) for p in PATTERNS}
    fitting: Counter[str] = Counter()
    for d in documents(corpus.train):
        kinds: list[DocumentEntity] = list(d.entities)
        pairs = Counter((a.type, b.type) for a in kinds for b in kinds if a is not b)
        for relation, pair in types.items():
            fitting[relation] += pairs[pair]
    facts = Counter(f.relation for d in documents(corpus.train) for f in d.facts)
    assert {relation for relation in types if facts[relation] > 0.25 * fitting[relation]} == set()


def test_statistics_count_the_documents(corpus):
    counts = statistics(corpus, max_words=100)
    for split in corpus.splits:
        of_split, examples = getattr(counts, split.name), documents(split)
        assert of_split.examples == len(examples)
        assert of_split.sentences == sum(len(d.sentence_starts) for d in examples)
        assert of_split.mentions == sum(len(e.mentions) for d in examples for e in d.entities)
        assert of_split.facts == sum(len(d.facts) for d in examples)
        assert of_split.facts_across_sentences == sum(
            is_across(d, f) for d in examples for f in d.facts
        )
    assert counts.dev.seen_share == counts.test.seen_share == 0
