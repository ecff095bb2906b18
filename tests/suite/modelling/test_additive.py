"""Additive scores and their gradients, against a slow re-statement."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from suite.modelling.additive import Activation, additive_scores

AT_ONCE = [1, 8, 13, 10_000]
"""Pairs: a row at a time, some rows, a sentence and more, all."""


def make() -> tuple[Tensor, Tensor, Tensor]:
    """Two sentences of 3 rows and 4 columns, of 5 numbers each, in double precision."""
    torch.manual_seed(0)
    rows, columns, weight = torch.randn(2, 3, 5), torch.randn(2, 4, 5), torch.randn(5)
    return tuple(t.double().requires_grad_() for t in (rows, columns, weight))  # type: ignore[return-value]


def slow(rows: Tensor, columns: Tensor, weight: Tensor, activation: Activation) -> Tensor:
    f = {"relu": torch.relu, "tanh": torch.tanh}[activation]
    return torch.stack([
        torch.stack([torch.stack([weight @ f(a + b) for b in of_columns]) for a in of_rows])
        for of_rows, of_columns in zip(rows, columns, strict=True)
    ])  # fmt: skip


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("at_once", AT_ONCE)
def test_scores_and_gradients(at_once: int, activation: Activation) -> None:
    inputs = make()
    quick, expected = additive_scores(*inputs, activation, at_once), slow(*inputs, activation)
    torch.testing.assert_close(quick, expected)
    slope = torch.randn_like(expected)
    torch.testing.assert_close(
        torch.autograd.grad((quick * slope).sum(), inputs),
        torch.autograd.grad((expected * slope).sum(), inputs),
    )


def test_low_precision_gives_scores_in_float32() -> None:
    rows, columns, weight = (t.detach().bfloat16().requires_grad_() for t in make())
    scores = additive_scores(rows, columns, weight.float(), "relu")
    assert scores.dtype == torch.float32
    exact = slow(rows.double(), columns.double(), weight.double(), "relu")
    torch.testing.assert_close(scores.double(), exact, rtol=0.02, atol=0.05)
    scores.sum().backward()
    assert rows.grad is not None
    assert rows.grad.dtype == torch.bfloat16


def test_nothing_has_no_score() -> None:
    scores = additive_scores(torch.zeros(2, 0, 5), torch.zeros(2, 4, 5), torch.ones(5), "relu")
    assert scores.shape == (2, 0, 4)
