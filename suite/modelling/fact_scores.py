"""From the scores of all facts that documents might hold to those that are predicted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from suite.tasks.examples import Fact
from suite.tasks.items import Prediction

FactScores = Float[Tensor, "_ _ relations"]


def facts_from(
    scores: Sequence[FactScores], theta: float, relations: Sequence[str]
) -> list[list[Prediction]]:
    """For each document the facts whose probability is theta or more."""
    found = []
    for score in scores:
        apart = ~torch.eye(len(score), dtype=torch.bool, device=score.device)
        where = ((score >= theta) & apart[:, :, None]).nonzero()
        values = score[tuple(where.unbind(1))].tolist()
        found.append(
            [
                Prediction(Fact(head, relations[relation], tail), value)
                for (head, tail, relation), value in zip(where.tolist(), values, strict=True)
            ]
        )
    return found
