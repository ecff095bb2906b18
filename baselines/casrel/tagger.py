"""CasRel's cascade of binary taggers, which stands on any encoder (Wei et al., ACL 2020).

Letters in shapes: B sentences, N words, D hidden size, T subjects, R relations.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from suite.modelling.cascade import (
    CascadeBatch,
    HeadsPerStep,
    Spans,
    TaggedTriples,
    batch_targets,
    decode_spans,
    decode_triples,
    dense_tags,
    find_tails,
)
from suite.modelling.layers import words_at
from suite.modelling.start import xavier_uniform
from suite.systems.contract import Loss
from suite.tasks.items import Prediction

SUBJECT_PRIOR, OBJECT_PRIOR = 0.05, 0.001
"""Probability of a tag before any training: as rare as tags are, in place of even odds, which
would spend the first epochs on unlearning hundreds of thousands of tags."""


class CascadeTagger(nn.Module):
    """Tags subjects, then the objects of each by relation (sections 3.2 and 3.3).

    Object scores are linear in H + v_sub, so how a word scores given a subject is the sum of what
    each brings alone. A subject of one word starts and ends with the same vector; then
    s(o | s) + s(s | o) = s(s | s) + s(o | o), and two such subjects cannot be linked by a triple
    (a quarter of WebNLG*'s triples, a fifth of NYT10's). Published code puts a separator after
    every word, on which spans end, and so never meets it; here the end has a projection.

    Args:
        width: D.
        relations: names of the object taggers' classes.
        end_projection: whether v_sub sees a subject's end through a linear layer of its own;
            without it, v_sub is the plain mean of the paper, with the bound told above.
        threshold: probability above which a word is tagged.
        heads_per_step: the object taggers train on `all` gold subjects or on `one` drawn at random
            (public code).
    """

    def __init__(
        self,
        width: int,
        relations: Sequence[str],
        *,
        end_projection: bool,
        threshold: float,
        heads_per_step: HeadsPerStep,
    ) -> None:
        super().__init__()
        self.relations = tuple(relations)
        self.threshold = threshold
        self.heads_per_step = heads_per_step
        self.end_projection = nn.Linear(width, width) if end_projection else nn.Identity()
        self.subject_scores = nn.Linear(width, 2)
        self.object_scores = nn.Linear(width, 2 * len(self.relations))
        # As public code starts, whose framework is Keras: starts and ends, each a layer of its own.
        xavier_uniform(self.subject_scores, parts=2)
        xavier_uniform(self.object_scores, parts=2)
        for scores, prior in (
            (self.subject_scores, SUBJECT_PRIOR),
            (self.object_scores, OBJECT_PRIOR),
        ):
            nn.init.constant_(scores.bias, math.log(prior / (1 - prior)))

    def score_objects(
        self,
        h: Float[Tensor, "B N D"],
        rows: Int[Tensor, " T"],
        first: Int[Tensor, " T"],
        last: Int[Tensor, " T"],
    ) -> Float[Tensor, "T N 2 R"]:
        """Scores of start and end given v_sub, the mean of the subject's start and end."""
        # The layer is linear in H + v_sub, so H goes through it once, for all subjects.
        starts, ends = (words_at(h, rows, word) for word in (first, last))
        subject = (starts + self.end_projection(ends)) / 2
        weight = self.object_scores.weight
        scores: Tensor = (
            self.object_scores(h).index_select(0, rows)
            + nn.functional.linear(subject, weight)[:, None]
        )
        return scores.unflatten(2, (2, -1))

    def loss(self, h: Float[Tensor, "B N D"], batch: CascadeBatch) -> Loss:
        """Binary cross entropy of subject and object tags, summed over words and relations.

        Args:
            h: the words' vectors.
            batch: with its gold triples.
        """
        words = h.shape[1]
        present = batch.text.words.mask()
        targets = batch_targets(batch)
        first, last, kind = targets.heads.unbind(1)
        shape = (len(batch), words, 1)
        tags = [dense_tags(targets.head_rows, w, kind, shape).squeeze(2) for w in (first, last)]
        subject = _tagging_loss(self.subject_scores(h), torch.stack(tags, 2), present)
        if self.training and self.heads_per_step == "one":
            targets = targets.draw_one(len(batch))
        objects = h.new_zeros(())
        if len(targets.heads):
            first, last, _ = targets.heads.unbind(1)
            which, start, end, relation = targets.tails.unbind(1)
            shape = (len(first), words, len(self.relations))
            tags = [dense_tags(which, w, relation, shape) for w in (start, end)]
            scores = self.score_objects(h, targets.head_rows, first, last)
            objects = _tagging_loss(scores, torch.stack(tags, 2), present[targets.head_rows])
        parts = {
            "subject": subject.detach() / len(batch),
            "object": objects.detach() / len(batch),
        }
        return Loss((subject + objects) / len(batch), parts)

    def forward(self, h: Float[Tensor, "B N D"], batch: CascadeBatch) -> TaggedTriples:
        """Tags subjects, then the objects of each, and pairs starts with nearest ends."""
        subject_scores = self.subject_scores(h).float().sigmoid()
        present = batch.text.words.mask()[:, :, None]
        starts, ends = subject_scores[:, :, :1], subject_scores[:, :, 1:]
        bound = self.threshold
        subjects = decode_spans((starts > bound) & present, (ends > bound) & present)
        subject_score = subjects.confidence(starts, ends)

        def tag_objects(
            some: Spans,
        ) -> tuple[Bool[Tensor, "some N 2 R"], Float[Tensor, "some N 2 R"]]:
            scores = self.score_objects(h, some.rows, some.first, some.last)
            probability = scores.float().sigmoid()
            return (probability > bound) & present[some.rows][:, :, None], probability

        size = h.shape[1] * self.object_scores.out_features
        return find_tails(subjects, subject_score, tag_objects, size)

    def decode(self, sentences: int, tagged: TaggedTriples) -> list[list[Prediction]]:
        """The triples of each of so many sentences."""
        return decode_triples(sentences, tagged, self.relations)


def _tagging_loss(
    scores: Float[Tensor, "rows N *classes"],
    tags: Bool[Tensor, "rows N *classes"],
    present: Bool[Tensor, "rows N"],
) -> Float[Tensor, ""]:
    """Binary cross entropy summed over the present words and the classes."""
    return binary_cross_entropy_with_logits(
        scores[present].float(), tags[present].float(), reduction="sum"
    )
