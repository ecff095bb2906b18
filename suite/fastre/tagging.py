"""From the scores of FastRE's taggers to triples, by whichever engine the scores were computed.

Letters in shapes: B sentences, N words, T head entities, K entity types, R relations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from suite.fastre.thresholds import above_threshold, confidence
from suite.modelling.cascade import (
    MAX_TAIL_WORDS,
    SpanRule,
    Spans,
    TaggedTriples,
    TailRule,
    decode_spans,
    find_tails,
)

Thresholds = Literal["adaptive", "global"]
ScoreTails = Callable[[Int[Tensor, " T"], Int[Tensor, "T 3"]], Float[Tensor, "T N 2 classes"]]
"""From heads (the sentence of each; its first word, last word and type) to their tails' scores."""


@dataclass(frozen=True)
class Tagging:
    """How scores become tags, and tags spans.

    Attributes:
        thresholds, span_rule, tail_rule: as in FastRE's settings.
        threshold: the global one.
        allowed: whether a head of a type (row) can have a relation (column).
    """

    thresholds: Thresholds
    span_rule: SpanRule
    tail_rule: TailRule
    threshold: Float[Tensor, ""]
    allowed: Bool[Tensor, "K R"]

    def tags(
        self, scores: Float[Tensor, "rows N 2 classes"], mask: Bool[Tensor, "rows N #tagged"]
    ) -> tuple[Bool[Tensor, "rows N 2 tagged"], Float[Tensor, "rows N 2 tagged"]]:
        """Tags and the probability of each; False outside the mask."""
        if self.thresholds == "adaptive":
            tags, probability = above_threshold(scores), confidence(scores)
        else:
            probability = scores.sigmoid()
            tags = probability > self.threshold
        return tags & mask[:, :, None], probability

    def triples(
        self,
        lengths: Int[Tensor, " B"],
        head_scores: Float[Tensor, "B N 2 classes"],
        score_tails: ScoreTails,
        numbers_per_word: int,
    ) -> TaggedTriples:
        """Tags heads, then the tails of each, and pairs starts with ends.

        Args:
            lengths: words of each sentence.
            head_scores: of start and end, of each type and, with adaptive thresholds, of AT.
            score_tails: likewise of each relation.
            numbers_per_word: features and scores that tagging the tails of a head holds of a word.
        """
        words = head_scores.shape[1]
        present = torch.arange(words, device=lengths.device) < lengths[:, None]
        tags, probability = self.tags(head_scores.float(), present[:, :, None])
        heads = decode_spans(tags[:, :, 0], tags[:, :, 1], self.span_rule)
        head_score = heads.confidence(probability[:, :, 0], probability[:, :, 1])

        def tag_tails(
            some: Spans,
        ) -> tuple[Bool[Tensor, "some N 2 R"], Float[Tensor, "some N 2 R"]]:
            described = torch.stack([some.first, some.last, some.classes], 1)
            scores = score_tails(some.rows, described).float()
            allowed = self.allowed[some.classes][:, None]
            tags, probability = self.tags(scores, present[some.rows][:, :, None] & allowed)
            if self.tail_rule == "public code":
                last = lengths[some.rows] - 1
                tags[torch.arange(len(last), device=last.device), last, 1] = False
            return tags, probability

        longest = MAX_TAIL_WORDS if self.tail_rule == "public code" else None
        return find_tails(heads, head_score, tag_tails, words * numbers_per_word, longest)
