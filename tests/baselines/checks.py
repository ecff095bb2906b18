"""What the tests of several baselines check in one way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from suite.systems.contract import Loss
from suite.tasks.examples import Sentence
from suite.tasks.items import Item
from tests.contract import whole

SlowLoss = Callable[[Any, Sentence, Tensor], dict[str, float]]
"""From a system, a sentence and its words' vectors to the parts of its loss."""


def vectors_of(system: Any, examples: Sequence[Sentence]) -> list[Tensor]:
    """What the encoder makes of each sentence's words."""
    h = system.encoder(whole(system, examples).text)
    return [h[i, : len(s.words)] for i, s in enumerate(examples)]


def check_losses(system: Any, examples: Sequence[Sentence], slow_loss: SlowLoss) -> None:
    """The parts of a batch's loss are the means of those of its sentences by themselves."""
    with torch.no_grad():
        sums: dict[str, float] = {}
        for s, h in zip(examples, vectors_of(system, examples), strict=True):
            for part, value in slow_loss(system, s, h).items():
                sums[part] = sums.get(part, 0.0) + value / len(examples)
        loss = system.loss(whole(system, examples))
    parts = {part: value.item() for part, value in loss.parts.items()}
    assert parts == pytest.approx(sums, rel=1e-4)
    assert loss.total.item() == pytest.approx(sum(sums.values()), rel=1e-4)


def train_all(
    system: Any, examples: Sequence[Sentence], learning_rate: float, *, to: float
) -> Loss:
    """Trains for some steps, in which the loss falls and every parameter has a gradient.

    Args:
        system: in training.
        examples: one batch.
        learning_rate: of AdamW.
        to: share of the first loss that is undercut.

    Returns:
        The last step's loss.
    """
    batch = whole(system, examples)
    optimiser = torch.optim.AdamW(system.parameters(), lr=learning_rate)
    losses, trained = [], set()
    for _ in range(15):
        optimiser.zero_grad()
        loss = system.loss(batch)
        loss.total.backward()
        losses.append(loss.total.item())
        trained |= {n for n, p in system.named_parameters() if p.grad is not None and p.grad.any()}
        optimiser.step()
    assert losses[-1] < to * losses[0]
    assert trained == {name for name, _ in system.named_parameters()}
    return loss


def ceiling_of(system: Any, *sentences: Sentence) -> list[set[Item]]:
    """What the targets of each sentence say, decoded."""
    return [{p.item for p in row} for row in system.ceiling(whole(system, sentences))]
