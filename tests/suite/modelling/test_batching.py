"""Batches are a function of lengths, seed and epoch, hold every example once, and pad little."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.modelling.batching import evaluation_batches, training_batches

LENGTHS = st.lists(st.integers(1, 100), min_size=1, max_size=200).map(torch.tensor)


@given(LENGTHS, st.integers(1, 40), st.integers(0, 9), st.integers(1, 9))
def test_every_example_stands_in_one_batch(
    lengths: torch.Tensor, size: int, seed: int, epoch: int
) -> None:
    for batches in (
        training_batches(lengths, size, seed, epoch),
        evaluation_batches(lengths, size),
    ):
        assert sorted(i for b in batches for i in b.tolist()) == list(range(len(lengths)))
        assert all(len(b) <= size for b in batches)
        assert len(batches) == -(-len(lengths) // size)


def drawn(seed: int, epoch: int) -> list[list[int]]:
    lengths = torch.arange(300) % 60 + 1
    return [b.tolist() for b in training_batches(lengths, 32, seed, epoch)]


def test_equal_seed_and_epoch_give_equal_batches() -> None:
    assert drawn(1, 2) == drawn(1, 2)
    assert drawn(1, 2) != drawn(1, 3)
    assert drawn(1, 2) != drawn(2, 2)


def test_batches_hold_examples_of_like_length() -> None:
    lengths = torch.randint(5, 100, (5000,), generator=torch.Generator().manual_seed(0))
    batches = training_batches(lengths, 32, seed=0, epoch=1)
    padded = sum(int(lengths[b].max()) * len(b) for b in batches)
    assert padded < 1.2 * int(lengths.sum())
    sizes = [float(lengths[b].float().mean()) for b in batches]
    assert sizes != sorted(sizes), "batches come in no order of length"


def test_evaluation_starts_with_the_longest() -> None:
    batches = evaluation_batches(torch.tensor([3, 9, 1, 9]), 2)
    assert [b.tolist() for b in batches] == [[1, 3], [0, 2]]
