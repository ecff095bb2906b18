"""Groups, their pairs and their best items, against loops."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.modelling import groups
from suite.modelling.groups import first_of_parts, group_starts, members, pair_up, strongest

SIZES = st.lists(st.integers(0, 5), max_size=7)


@given(SIZES)
def test_members(sizes: list[int]) -> None:
    owners, within = members(torch.tensor(sizes, dtype=torch.long))
    expected = [(group, i) for group, size in enumerate(sizes) for i in range(size)]
    assert [*zip(owners.tolist(), within.tolist(), strict=True)] == expected


@given(SIZES, st.integers(1, 9))
def test_parts_are_whole_groups_of_no_more_than_room_and_one_group(
    sizes: list[int], most: int
) -> None:
    counts = torch.tensor(sizes, dtype=torch.long)
    first = first_of_parts(counts, most).tolist()
    assert first[0] == 0
    assert first == sorted(set(first))
    starts = group_starts(counts).tolist()
    for a, b in zip(first, [*first[1:], len(sizes)], strict=True):
        if b > a:
            assert starts[b - 1] - starts[a] < most


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=7), st.integers(1, 9))
def test_pairs(rows: list[tuple[int, int]], at_once: int) -> None:
    begins, counts = torch.tensor(rows, dtype=torch.long).view(-1, 2).unbind(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "PAIRS_AT_ONCE", at_once)
        parts = [torch.stack(part, 1).tolist() for part in pair_up(begins, counts)]
    assert parts, "there is a part, so that what is made of parts can be joined"
    expected = [[i, begin + k] for i, (begin, count) in enumerate(rows) for k in range(count)]
    assert [pair for part in parts for pair in part] == expected


ITEMS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(1, 3)), max_size=12)


@given(ITEMS, st.integers(1, 5), st.booleans())
def test_the_best_of_each_owner_are_kept(
    items: list[tuple[int, int, int]], most: int, sized: bool
) -> None:
    owners, scores, sizes = torch.tensor(items, dtype=torch.long).view(-1, 3).unbind(1)
    found = strongest(owners, scores.float(), most, sizes if sized else None)
    kept = []
    for owner in {item[0] for item in items}:
        room = most
        own = [i for i, item in enumerate(items) if item[0] == owner]
        for i in sorted(own, key=lambda i: -items[i][1]):
            room -= items[i][2] if sized else 1
            if room >= 0:
                kept.append(i)
    assert found.tolist() == sorted(kept)
