"""Adaptive thresholds: a learnt threshold class in place of a global one.

Zhou et al. (2021), used by FastRE at every position (section 2.3, equation 11).
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def adaptive_threshold_loss(
    scores: Float[Tensor, "positions classes_and_threshold"],
    positive: Bool[Tensor, "positions classes"],
    scored: Bool[Tensor, "positions classes"] | None = None,
) -> Float[Tensor, " positions"]:
    """The loss of FastRE's equation 11 at each position.

    Args:
        scores: of the classes and, last, of the threshold class AT.
        positive: the classes that hold at a position.
        scored: the classes that are in play there; None for all. The others are in neither sum.

    Returns:
        Positive classes' cross entropy among the positives and AT, plus that of AT among the
        negatives and AT.
    """
    classes, threshold = scores[:, :-1], scores[:, -1]
    absent = positive if scored is None else positive | ~scored
    negatives = classes.masked_fill(absent, -torch.inf)
    loss = torch.cat([negatives, threshold[:, None]], 1).logsumexp(1) - threshold
    # Few positions hold a positive class: only those pay for the first sum.
    rows = positive.any(1).nonzero().squeeze(1)
    here, at, marked = classes[rows], threshold[rows], positive[rows]
    positives = here.masked_fill(~marked, -torch.inf)
    normaliser = torch.cat([positives, at[:, None]], 1).logsumexp(1)
    first = (normaliser * marked.sum(1)) - here.masked_fill(~marked, 0).sum(1)
    return loss.index_add(0, rows, first)


def above_threshold(
    scores: Float[Tensor, "*positions classes_and_threshold"],
) -> Bool[Tensor, "*positions classes"]:
    """Tags every class that scores above its position's threshold class."""
    return scores[..., :-1] > scores[..., -1:]


def confidence(
    scores: Float[Tensor, "*positions classes_and_threshold"],
) -> Float[Tensor, "*positions classes"]:
    """Probability of each class against its position's threshold class alone."""
    return (scores[..., :-1] - scores[..., -1:]).sigmoid()
