"""Subjects and objects of a relation as one tag a word for each of the two, and back.

Letters in shapes: T tagged rows (a sentence under a relation), N words, C classes of a tag.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from suite.modelling.cascade import Spans, decode_spans
from suite.tasks.examples import Span

Tagging = Literal["bio", "ends"]
OUTSIDE, BEGIN, INSIDE = range(3)
"""Tags of `bio`."""
FIRST, LAST = 1, 2
"""Bits of a tag of `ends`: a span's first word, its last word; one word may be both."""
CLASSES: dict[Tagging, int] = {"bio": 3, "ends": 2}


class FoundSpans(NamedTuple):
    """Spans, by row and first word, with the probability of the least certain tag of each."""

    spans: Spans
    scores: Float[Tensor, " spans"]


def tag_words(length: int, spans: Iterable[Span], tagging: Tagging) -> list[int]:
    """The tag of every word.

    A word has one tag of `bio`, so of spans that overlap one is kept: the longer, of equal length
    the earlier.

    Args:
        length: words of the sentence.
        spans: in any order.
        tagging: which tags.
    """
    row = [OUTSIDE] * length
    for start, end in sorted(set(spans), key=lambda s: (s.start - s.end, s.start)):
        if tagging == "ends":
            row[start] |= FIRST
            row[end - 1] |= LAST
        elif not any(row[start:end]):
            row[start:end] = [BEGIN, *[INSIDE] * (end - start - 1)]
    return row


def tag_losses(
    scores: Float[Tensor, "T N C"], tags: Int[Tensor, "T N"], tagging: Tagging
) -> Float[Tensor, "T N"]:
    """Cross entropy of each word's tag; of `ends`, the mean of its two."""
    if tagging == "bio":
        flat = cross_entropy(scores.flatten(0, 1).float(), tags.flatten(), reduction="none")
        return flat.view_as(tags)
    gold = torch.stack([tags & FIRST, tags & LAST], 2) > 0
    losses = binary_cross_entropy_with_logits(scores.float(), gold.float(), reduction="none")
    return losses.mean(2)


def certain_scores(tags: Int[Tensor, "T N"], tagging: Tagging) -> Float[Tensor, "T N C"]:
    """Scores that leave no doubt of the given tags."""
    if tagging == "bio":
        right = torch.arange(CLASSES[tagging], device=tags.device) == tags[..., None]
    else:
        right = torch.stack([tags & FIRST, tags & LAST], 2) > 0
    return right * 200.0 - 100.0


def find_spans(
    scores: Float[Tensor, "T N C"], present: Bool[Tensor, "T N"], tagging: Tagging
) -> FoundSpans:
    """The spans of the most probable tags.

    Args:
        scores: of each word's tags.
        present: True at words, False at padding.
        tagging: which tags.
    """
    if tagging == "ends":
        ends = scores.float().sigmoid()
        first, last = ends[..., :1], ends[..., 1:]
        inside = present[..., None]
        spans = decode_spans((first > 0.5) & inside, (last > 0.5) & inside)
        return FoundSpans(spans, spans.confidence(first, last))
    probability, tags = scores.float().softmax(2).max(2)
    spans, owners = decode_bio(tags, present)
    least = probability.new_ones(len(spans.rows))
    inside = owners >= 0
    return FoundSpans(spans, least.scatter_reduce(0, owners[inside], probability[inside], "amin"))


def decode_bio(
    tags: Int[Tensor, "T N"], present: Bool[Tensor, "T N"]
) -> tuple[Spans, Int[Tensor, "T N"]]:
    """The spans: B starts one, I goes on, an I with nothing to go on with starts one too.

    Args:
        tags: of every word.
        present: True at words, False at padding.

    Returns:
        The spans by row and first word, all of class 0; the span of each word, -1 outside.
    """
    tags = tags.where(present, OUTSIDE)
    before = torch.cat([torch.full_like(tags[:, :1], OUTSIDE), tags[:, :-1]], 1)
    after = torch.cat([tags[:, 1:], torch.full_like(tags[:, :1], OUTSIDE)], 1)
    starts = (tags == BEGIN) | (tags == INSIDE) & (before == OUTSIDE)
    # A span has one first and one last word, and spans follow one another: in order, they pair.
    rows, first = starts.nonzero(as_tuple=True)
    last = ((tags != OUTSIDE) & (after != INSIDE)).nonzero()[:, 1]
    owners = (starts.flatten().cumsum(0).view_as(tags) - 1).where(tags != OUTSIDE, -1)
    return Spans(rows, torch.zeros_like(rows), first, last), owners
