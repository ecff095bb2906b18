"""From tagged rows to triples: which subject and object of a row belong together.

Letters in shapes: T tagged rows (a sentence under a relation), B sentences, N words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from baselines.prgc.tags import FoundSpans
from suite.modelling.cascade import Spans
from suite.modelling.groups import group_starts, pair_up, strongest

MOST_TRIPLES = 1000
"""Of a sentence; an untrained system tags all words in all relations, which are a million."""


class TaggedRows(NamedTuple):
    """What a network found in a batch.

    Attributes:
        rows: sentence of each tagged row, ascending.
        relations: its relation.
        scores: the probability that the sentence holds it.
        subjects: spans in the tagged rows.
        objects: likewise.
        links: probability of each two first words of a sentence; None: there is none, and nearest
            neighbours belong together.
    """

    rows: Int[Tensor, " T"]
    relations: Int[Tensor, " T"]
    scores: Float[Tensor, " T"]
    subjects: FoundSpans
    objects: FoundSpans
    links: Float[Tensor, "B N N"] | None


class Pairs(NamedTuple):
    """A subject and an object, by their places among the spans, with the triple's score."""

    subjects: Int[Tensor, " pairs"]
    objects: Int[Tensor, " pairs"]
    scores: Float[Tensor, " pairs"]

    def select(self, which: Int[Tensor, " some"]) -> Pairs:
        """Some of the pairs."""
        return Pairs(*(column[which] for column in self))


def join(tagged: TaggedRows, threshold: float) -> Pairs:
    """The triples, `MOST_TRIPLES` of a sentence at most, which are the surest.

    Args:
        tagged: what was found.
        threshold: probability above which two first words belong together.
    """
    least = torch.finfo(tagged.scores.dtype).tiny
    kept = []
    for subjects, objects in _candidates(tagged):
        rows = tagged.subjects.spans.rows[subjects]
        scores = torch.minimum(tagged.subjects.scores[subjects], tagged.objects.scores[objects])
        found = Pairs(subjects, objects, torch.minimum(scores, tagged.scores[rows]))
        if tagged.links is not None:
            first = (tagged.subjects.spans.first[subjects], tagged.objects.spans.first[objects])
            linked = tagged.links[tagged.rows[rows], *first]
            found = found._replace(scores=torch.minimum(found.scores, linked))
            found = found.select((linked > threshold).nonzero().squeeze(1))
        kept.append(_surest(found, tagged))
    joined = Pairs(*(torch.cat(columns) for columns in zip(*kept, strict=True)))
    return _surest(joined._replace(scores=joined.scores.clamp_min(least)), tagged)


def _candidates(tagged: TaggedRows) -> Iterator[tuple[Tensor, Tensor]]:
    """Subjects and objects of one row: all, some at a time, or nearest neighbours."""
    subjects, objects = tagged.subjects.spans, tagged.objects.spans
    if tagged.links is None:
        yield _nearest(subjects, objects)
        return
    of_rows = torch.bincount(objects.rows, minlength=len(tagged.rows))
    yield from pair_up(group_starts(of_rows)[subjects.rows], of_rows[subjects.rows])


def _nearest(subjects: Spans, objects: Spans) -> tuple[Tensor, Tensor]:
    """Each subject with the nearest object of its row, and each object with the nearest subject.

    Distance is that of the first words; of two at the same, the later one is nearer.
    """
    if not len(subjects.rows) or not len(objects.rows):
        return subjects.rows[:0], subjects.rows[:0]
    to_objects, to_subjects = _neighbours(subjects, objects), _neighbours(objects, subjects)
    pairs = torch.cat([to_objects, to_subjects.flip(1)]).unique(dim=0)
    return pairs[:, 0], pairs[:, 1]


def _neighbours(spans: Spans, others: Spans) -> Int[Tensor, "found 2"]:
    """Places of spans and of the nearest of the others in their rows; those of none are left."""
    # Rows lie so far apart that no other row's span is nearer than one of the same row.
    apart = 2 * int(torch.cat([spans.first, others.first]).max()) + 2
    own, theirs = (s.rows * apart + s.first for s in (spans, others))
    later = torch.searchsorted(theirs, own).clamp(max=len(theirs) - 1)
    earlier = (torch.searchsorted(theirs, own) - 1).clamp(min=0)
    nearer = (own - theirs[earlier]).abs() < (own - theirs[later]).abs()
    best = torch.where(nearer, earlier, later)
    pairs = torch.stack([torch.arange(len(own), device=own.device), best], 1)
    return pairs[others.rows[best] == spans.rows]


def _surest(pairs: Pairs, tagged: TaggedRows) -> Pairs:
    """Those of the highest scores of each sentence."""
    sentences = tagged.rows[tagged.subjects.spans.rows[pairs.subjects]]
    return pairs.select(strongest(sentences, pairs.scores, MOST_TRIPLES))
