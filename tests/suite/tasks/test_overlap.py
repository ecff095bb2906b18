"""Overlap classes, against hand-made sentences and a slow restatement."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.tasks.examples import Sentence, Span, SurfaceTriple, Triple
from suite.tasks.overlap import classify, overlap_patterns


@pytest.mark.parametrize(
    ("pairs", "patterns"),
    [
        ([], {"normal"}),
        (["ab"], {"normal"}),
        (["ab", "cd"], {"normal"}),
        (["ab", "ab"], {"EPO"}),
        (["ab", "ba"], {"SEO"}),
        (["ab", "ac"], {"SEO"}),
        (["ab", "bc"], {"SEO"}),
        (["ab", "ab", "bc"], {"EPO", "SEO"}),
        (["ab", "ab", "cd"], {"EPO"}),
        (["aa"], {"SEO"}),
    ],
)
def test_classes(pairs: list[str], patterns: set[str]) -> None:
    assert classify([(pair[0], pair[1]) for pair in pairs]) == patterns


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=4))
def test_classes_agree_with_comparing_every_two_triples(pairs: list[tuple[str, str]]) -> None:
    epo = any(one == other for one, other in combinations(pairs, 2))
    loop = any(head == tail for head, tail in pairs)
    shared = any(set(one) & set(other) for one, other in permutations(set(pairs), 2))
    expected = {name for name, shown in (("EPO", epo), ("SEO", shared or loop)) if shown}
    assert classify(pairs) == (expected or {"normal"})


def test_a_triple_without_a_place_shares_entities_by_their_words() -> None:
    sentence = Sentence(
        "1",
        ("New", "York", "is", "big"),
        triples=(Triple(Span(0, 2), "r", Span(3, 4)),),
        unplaced=(SurfaceTriple("New York", "r", "Albany"),),
    )
    assert overlap_patterns(sentence) == {"SEO"}
