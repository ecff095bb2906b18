"""Blocks of tables hold every pair once; words are packed, and cells found in their blocks."""

from __future__ import annotations

from itertools import groupby

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.modelling.batch import Batch, Text
from suite.modelling.ragged import Ragged
from suite.modelling.word_tables import Layout, split_cells, table_blocks
from tests.cuts import AT_ONCE, LENGTHS


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(1, 200))
@settings(max_examples=60)
def test_blocks_hold_every_pair_once(lengths: list[int], at_once: int) -> None:
    lengths.sort()
    rows = []
    for block in table_blocks(lengths, at_once):
        words = block.tails.stop - block.tails.start
        heads = block.heads.stop - block.heads.start
        assert words == block.sentences * block.length
        assert heads == block.sentences * block.width
        assert block.pairs == slice(len(rows), len(rows) + heads * block.length)
        assert heads * block.length <= at_once or heads == 1
        assert heads == words or block.sentences == 1
        for k in range(block.sentences):
            for j in range(block.length):
                tail = block.tails.start + k * block.length + j
                first = block.heads.start + k * block.width
                rows += [(tail, first + i) for i in range(block.width)]
    expected, start = set(), 0
    for length in lengths:
        words_of_it = range(start, start + length)
        expected |= {(j, i) for j in words_of_it for i in words_of_it}
        start += length
    assert set(rows) == expected
    assert len(rows) == len(expected)


def test_sentences_of_one_length_share_blocks() -> None:
    sizes = [block.sentences for block in table_blocks([4] * 5 + [6] * 2, 40)]
    assert sizes == [2, 2, 1, 1, 1]
    assert [block.width for block in table_blocks([5], 12)] == [1, 2, 2]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_layout_packs_words_from_short_sentences_to_long(lengths: list[int]) -> None:
    batch = Batch(Text(Ragged.from_rows([range(n) for n in lengths])))
    layout = Layout.of(batch)
    x = torch.arange(len(lengths) * max(lengths)).view(len(lengths), -1, 1).float()
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    assert layout.order.tolist() == order
    expected = [x[i, j, 0].item() for i in order for j in range(lengths[i])]
    assert layout.pack(x).squeeze(1).tolist() == expected
    owners = [place for place, i in enumerate(order) for _ in range(lengths[i])]
    assert layout.owners.tolist() == owners
    assert layout.starts.tolist() == [owners.index(place) for place, _ in groupby(owners)]
    assert layout.lengths.tolist() == sorted(lengths)
    assert layout.within.tolist() == [j for i in order for j in range(lengths[i])]


@pytest.mark.parametrize("at_once", AT_ONCE)
def test_cells_are_found_again_in_their_blocks(at_once: int) -> None:
    """By head and tail word each cell is once in one block, and the number says both again."""
    torch.manual_seed(0)
    ends = torch.tensor(LENGTHS).cumsum(0)
    owner = torch.arange(len(LENGTHS)).repeat_interleave(torch.tensor(LENGTHS))
    same = owner[:, None] == owner
    every = torch.cat([same.nonzero(), torch.arange(int(same.sum()))[:, None]], 1)
    cells = every[torch.randperm(len(every))]
    blocks, found = table_blocks(LENGTHS, at_once), []
    x = torch.arange(int(ends[-1]))[:, None]
    for block, (pair, name) in zip(blocks, split_cells(blocks, cells), strict=True):
        head, tail = block.words(pair)
        found += torch.stack([head, tail, name], 1).tolist()
        assert torch.equal(block.numbers(head, tail), pair)
        shape = (block.sentences, block.length, block.width, 1)
        heads, tails = (side.expand(shape) for side in (block.of_heads(x), block.of_tails(x)))
        assert torch.equal(heads.flatten()[pair], head)
        assert torch.equal(tails.flatten()[pair], tail)
    assert sorted(found) == every.tolist()
