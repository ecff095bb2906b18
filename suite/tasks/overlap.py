"""How the triples of a sentence overlap: the three classes of Zeng et al. (ACL 2018, section 1)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Literal, get_args

from suite.tasks.examples import Sentence, Span

OverlapPattern = Literal["normal", "EPO", "SEO"]
PATTERNS: tuple[OverlapPattern, ...] = get_args(OverlapPattern)


def overlap_patterns(sentence: Sentence, *, repeats: bool = False) -> frozenset[OverlapPattern]:
    """The classes that the gold triples of a sentence show.

    An entity is a span; of a triple without a place, it is its words, and the span of those
    words where another triple has it.

    Args:
        sentence: with its gold.
        repeats: whether triples that the file repeats count again, as in published counts.
    """
    again = sentence.repeats if repeats else ()
    triples = [*sentence.triples, *sentence.unplaced, *again]
    words = sentence.words
    places: dict[str, Hashable] = {
        " ".join(words[span.start : span.end]): span
        for t in sentence.triples
        for span in (t.head, t.tail)
    }

    def entity(end: Span | str) -> Hashable:
        return end if isinstance(end, Span) else places.get(end, end)

    return classify((entity(t.head), entity(t.tail)) for t in triples)


def classify(pairs: Iterable[tuple[Hashable, Hashable]]) -> frozenset[OverlapPattern]:
    """The classes that the (head, tail) pairs of a sentence's triples show.

    As the public code of Zeng et al. counts (`raw_NYT/generate.py` of CasRel's repository keeps
    it), and so as the published figures by class do:

    - normal: no two triples share an entity, and none has one entity as head and tail; so is a
      sentence without triples;
    - EPO (entity pair overlap): two triples have the same head and the same tail. A pair in
      reverse, (a, b) and (b, a), is another pair;
    - SEO (single entity overlap): among the different pairs two share an entity, or a pair has
      one entity twice. Reversed pairs do.

    A sentence may be both EPO and SEO. A triple that the file repeats is a pair twice, and so EPO,
    where repeats are among the pairs: in the published 26 EPO sentences of WebNLG's test set
    (last-word form), and 1,168 of NYT24's, there are 8 and 199 that only repeat one.
    """
    listed = list(pairs)
    distinct = set(listed)
    patterns: set[OverlapPattern] = set()
    if len(distinct) < len(listed):
        patterns.add("EPO")
    if len({entity for pair in distinct for entity in pair}) < 2 * len(distinct):
        patterns.add("SEO")
    return frozenset(patterns or {"normal"})
