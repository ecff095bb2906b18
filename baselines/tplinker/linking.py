"""From tags of pairs of words to triples, without a loop over pairs, entities or relations.

Letters in shapes: M words of a batch (those of its sentences one after another), E entities, H
links of first words, K candidates: a link of first words with an entity that begins at each.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from suite.modelling.groups import group_starts, members, strongest

MOST_ENTITIES = 128
"""Entities of a sentence that are linked, the most probable ones: an untrained tagger marks
thousands, and their pairs would be counted by their square."""
MOST_CANDIDATES = 2**13
"""Likewise, pairs of entities in a relation whose first words are linked."""


class Entities(NamedTuple):
    """Tagged entities, by sentence and first word.

    Attributes:
        first, last: among the M words.
        scores: probability of each.
    """

    first: Int[Tensor, " E"]
    last: Int[Tensor, " E"]
    scores: Float[Tensor, " E"]

    @classmethod
    def strongest(cls, found: Entities, sentences: Int[Tensor, " M"]) -> Entities:
        """The most probable ones of each sentence.

        Args:
            found: all that were tagged.
            sentences: of each word.
        """
        kept = strongest(sentences[found.first], found.scores, MOST_ENTITIES)
        kept = kept[(found.first[kept]).argsort(stable=True)]
        return cls(*(column[kept] for column in found))


class HeadLinks(NamedTuple):
    """Tagged links between first words.

    Attributes:
        subject, object: first words, among the M.
        relation: of each.
        scores: probability of the tag.
    """

    subject: Int[Tensor, " H"]
    object: Int[Tensor, " H"]
    relation: Int[Tensor, " H"]
    scores: Float[Tensor, " H"]


class Candidates(NamedTuple):
    """Pairs of entities in a relation, whose first words are linked.

    Attributes:
        subject, object: among the entities.
        relation: of each.
        scores: product of the probabilities of both entities and the link.
    """

    subject: Int[Tensor, " K"]
    object: Int[Tensor, " K"]
    relation: Int[Tensor, " K"]
    scores: Float[Tensor, " K"]


def make_candidates(
    entities: Entities, heads: HeadLinks, sentences: Int[Tensor, " M"]
) -> Candidates:
    """Puts the entities that begin at linked words in pairs (algorithm 1)."""
    counts = torch.bincount(entities.first, minlength=len(sentences))
    starts = group_starts(counts)
    sizes = counts[heads.subject] * counts[heads.object]
    kept = strongest(sentences[heads.subject], heads.scores, MOST_CANDIDATES, sizes)
    heads = HeadLinks(*(column[kept] for column in heads))
    which, pair = members(sizes[kept])
    subject, other, relation, scores = (column[which] for column in heads)
    ours = starts[subject] + pair // counts[other]
    theirs = starts[other] + pair % counts[other]
    scores = scores * entities.scores[ours] * entities.scores[theirs]
    return Candidates(ours, theirs, relation, scores)
