"""Items in groups: where groups begin that lie one after another, pairs, the best of each group.

Letters in shapes: G groups, I items.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

PAIRS_AT_ONCE = 2**20
"""Pairs of `pair_up` that are in memory together."""


def group_starts(sizes: Int[Tensor, " G"]) -> Int[Tensor, " G"]:
    """Where each group begins, where they lie one after another."""
    return sizes.cumsum(0) - sizes


def members(sizes: Int[Tensor, " G"]) -> tuple[Int[Tensor, " I"], Int[Tensor, " I"]]:
    """Of each item its group and its place within, where groups lie one after another."""
    groups = torch.arange(len(sizes), device=sizes.device).repeat_interleave(sizes)
    places = torch.arange(len(groups), device=sizes.device) - group_starts(sizes)[groups]
    return groups, places


def first_of_parts(sizes: Int[Tensor, " G"], most: int) -> Int[Tensor, " parts"]:
    """Cuts groups into parts of about so many items: a part ends where a multiple is exceeded.

    Returns:
        The first group of each part; 0 where there is no group.
    """
    cuts = (group_starts(sizes) // most).diff().nonzero().squeeze(1) + 1
    return torch.cat([cuts.new_zeros(1), cuts])


def pair_up(
    begins: Int[Tensor, " G"], counts: Int[Tensor, " G"]
) -> Iterator[tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]]:
    """Each group with so many numbers from one on, about `PAIRS_AT_ONCE` at a time, once at least.

    Args:
        begins: the first number of each.
        counts: how many numbers follow from it on.
    """
    bounds = [*first_of_parts(counts, PAIRS_AT_ONCE).tolist(), len(counts)]
    for first, end in pairwise(bounds):
        owners, within = members(counts[first:end])
        owners = owners + first
        yield owners, begins[owners] + within


def strongest(
    owners: Int[Tensor, " I"],
    scores: Float[Tensor, " I"],
    most: int,
    sizes: Int[Tensor, " I"] | None = None,
) -> Int[Tensor, " kept"]:
    """Places of each owner's best items, ascending, as many as its room holds.

    Of items that score the same, the earlier ones are better.

    Args:
        owners: of each item.
        scores: by which they are ranked.
        most: room of an owner.
        sizes: of each item; None: all take one.
    """
    if sizes is None:
        counts = torch.bincount(owners)
        if not len(counts) or int(counts.max()) <= most:
            return torch.arange(len(owners), device=owners.device)
        sizes = torch.ones_like(owners)
    order = scores.argsort(descending=True, stable=True)
    order = order[owners[order].argsort(stable=True)]
    taken = sizes[order].cumsum(0)
    ranked = owners[order]
    is_first = torch.ones_like(ranked, dtype=torch.bool)
    is_first[1:] = ranked[1:] != ranked[:-1]
    before = (taken - sizes[order])[is_first]
    taken = taken - before[is_first.cumsum(0) - 1]
    return order[taken <= most].sort().values
