"""Sentences of any length with any number of relations."""

from __future__ import annotations

import pytest

from suite.datasets.synthetic.sizes import sentences_of_size
from suite.tasks.examples import Triple


@pytest.mark.parametrize(("words", "relations"), [(6, 1), (16, 5), (50, 12), (128, 40)])
def test_sizes_are_those_that_were_asked_for(words: int, relations: int) -> None:
    schema, sentences = sentences_of_size(words, relations, 5)
    assert len(schema.relations) == relations
    assert [len(s.words) for s in sentences] == [words] * 5
    for sentence in sentences:
        for triple in sentence.triples:
            assert isinstance(triple, Triple)
            assert max(triple.head.end, triple.tail.end) <= words
            assert triple.relation in schema.relations
            types = {e.type for e in sentence.entities if e.span == triple.head}
            assert types & schema.head_types[triple.relation]
        assert all(e.span.end <= words for e in sentence.entities)
    assert sentences_of_size(words, relations, 5) == (schema, sentences)


def test_triples_grow_with_the_length_and_spread_over_relations() -> None:
    counts = []
    for words in (16, 64, 256):
        _, sentences = sentences_of_size(words, 100, 8)
        counts.append(sum(len(s.triples) for s in sentences))
    assert counts[1] > 2.5 * counts[0]
    assert counts[2] > 3 * counts[1]
    used = {t.relation for s in sentences for t in s.triples}
    assert len(used) > 40


@pytest.mark.parametrize("triples", [1, 3])
def test_triples_stay_as_many_where_that_is_wanted(triples: int) -> None:
    for words in (64, 256):
        schema, sentences = sentences_of_size(words, 50, 8, triples=triples)
        assert [len(s.triples) for s in sentences] == [triples] * 8
        assert [len(s.words) for s in sentences] == [words] * 8
        named = {e.span for s in sentences for e in s.entities}
        assert {span for s in sentences for t in s.triples for span in (t.head, t.tail)} <= named
        assert sentences_of_size(words, 50, 8, triples=triples) == (schema, sentences)


def test_what_follows_the_triples_names_nothing() -> None:
    _, free = sentences_of_size(256, 50, 4)
    _, few = sentences_of_size(256, 50, 4, triples=1)
    names = {" ".join(s.words[e.span.start : e.span.end]) for s in free for e in s.entities}
    for sentence in few:
        last = max(e.span.end for e in sentence.entities)
        assert last <= 50
        rest = " ".join(sentence.words[last:])
        assert not [name for name in names if f" {name} " in rest]


def test_a_sentence_without_room_for_its_triples_has_fewer() -> None:
    _, sentences = sentences_of_size(6, 5, 2, triples=5)
    assert [len(s.words) for s in sentences] == [6, 6]
    assert all(len(s.triples) < 5 for s in sentences)
