"""Long texts by overlapping windows against single passes and a slow choice of windows."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.bert_docred.windows import LongTransformer, range_means, windows_of
from suite.errors import SuiteError
from suite.modelling.pretrained import UNTRAINED, PretrainedModel, Subwords, find_pretrained

TEXTS = [
    ("Ada", "Lovelace", "was", "born", "in", "London", ".", "Later", "Ada", "moved", "."),
    ("Why", "?"),
    tuple(f"w{i % 7}" for i in range(25)),
]


class Pieces:
    """A tokenizer whose subwords are four letters each, so that words have several."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __call__(self, split: list[list[str]], **_: Any) -> dict[str, list[list[int]]]:
        def known(piece: str) -> int:
            return 4 + sum(map(ord, piece)) % (len(self.inner) - 4)

        return {
            "input_ids": [
                [known(word[i : i + 4]) for i in range(0, len(word), 4)] for (word,) in split
            ]
        }


def source(limit: int) -> PretrainedModel:
    made = find_pretrained(UNTRAINED, TEXTS * 4)
    return dataclasses.replace(made, read=lambda: Subwords(Pieces(made.tokenizer), limit))


def encoder(limit: int = 512, long: str = "windows", stride: int = 4) -> LongTransformer:
    torch.manual_seed(0)
    return LongTransformer(source(limit), long, stride).eval()


def vectors(module: LongTransformer, texts: list[tuple[str, ...]]) -> list[torch.Tensor]:
    """The vectors of each text's subwords."""
    text = module.encode(texts)
    with torch.no_grad():
        return list(module(text).split(text.subwords.lengths.tolist()))


def alone(module: LongTransformer, ids: list[int]) -> torch.Tensor:
    """One pass over one stretch of subwords, written out."""
    row = torch.tensor([[module.opening, *ids, module.closing]])
    with torch.no_grad():
        return module.model(input_ids=row).last_hidden_state[0, 1:-1]


def ids_of(module: LongTransformer, text: tuple[str, ...]) -> list[int]:
    return module.subwords.rows([text])[0][0][1:-1]


@settings(deadline=None)
@given(st.integers(1, 90), st.integers(1, 20), st.data())
def test_every_subword_is_taken_once_from_where_it_has_most_context(
    subwords: int, size: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, size))
    windows = windows_of(subwords, size, stride)

    def context(window: Any, place: int) -> float:
        end = window.start + window.length
        before = place - window.start if window.start else float("inf")
        after = end - 1 - place if end < subwords else float("inf")
        return min(before, after) if window.start <= place < end else -1

    taken = [(w, w.start + i) for w in windows for i in range(w.first, w.end)]
    assert [place for _, place in taken] == list(range(subwords))
    for window, place in taken:
        assert context(window, place) == max(context(w, place) for w in windows)
    assert all(w.length <= size for w in windows)
    assert all(b.start - a.start <= stride for a, b in pairwise(windows))


def test_texts_that_fit_are_read_in_a_single_pass() -> None:
    module = encoder()
    for text, found in zip(TEXTS, vectors(module, TEXTS), strict=True):
        torch.testing.assert_close(found, alone(module, ids_of(module, text)))


def test_long_texts_are_read_by_windows() -> None:
    module = encoder(limit=12, stride=4)
    found = vectors(module, TEXTS)
    for text, rows in zip(TEXTS, found, strict=True):
        ids = ids_of(module, text)
        assert len(rows) == len(ids)
        windows = windows_of(len(ids), 10, 4)
        assert (len(windows) > 1) == (len(ids) > 10)
        for start, length, first, end in windows:
            expected = alone(module, ids[start : start + length])[first:end]
            torch.testing.assert_close(rows[start + first : start + end], expected)


def test_cut_texts_keep_their_first_subwords() -> None:
    module = encoder(limit=12, long="cut")
    encoded = module.encode(TEXTS)
    for i, (text, found) in enumerate(zip(TEXTS, vectors(module, TEXTS), strict=True)):
        ids, owners = (rows[0][1:-1] for rows in module.subwords.rows([text]))
        assert len(found) == min(10, len(ids))
        torch.testing.assert_close(found, alone(module, ids[:10]))
        counts = encoded.words.select(torch.tensor([i])).values.tolist()
        assert counts == [owners[:10].count(word) for word in range(len(text))]
        whole = [owners[:10].count(w) == owners.count(w) for w in range(len(text))]
        assert encoded.read.values[i] == sum(whole)


def test_a_word_that_the_cut_divides_is_not_read() -> None:
    text = ("so", "Lovelace", "Lovelace")  # subwords: 1, 2, 2
    read = {
        subwords: encoder(subwords + 2, long="cut").encode([text]).read.values.tolist()
        for subwords in (1, 2, 3, 4, 5, 9)
    }
    assert read == {1: [1], 2: [1], 3: [2], 4: [2], 5: [3], 9: [3]}
    assert encoder(4, stride=1).encode([text]).read.values.tolist() == [3]


def test_windows_without_overlap_may_touch_and_not_gape() -> None:
    assert [w[:2] for w in windows_of(20, 10, 10)] == [(0, 10), (10, 10)]
    encoder(limit=12, stride=10)
    with pytest.raises(SuiteError, match="every 11 subwords leave gaps") as caught:
        encoder(limit=12, stride=11)
    assert "smaller stride" in str(caught.value)
    encoder(limit=12, stride=11, long="cut")


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=6))
def test_means_are_those_of_slices(bounds: list[tuple[int, int]]) -> None:
    torch.manual_seed(0)
    x = torch.randn(9, 3)
    ranges = [(min(pair), max(pair)) for pair in bounds]
    starts, ends = (torch.tensor([r[i] for r in ranges], dtype=torch.long) for i in (0, 1))
    found = range_means(x, starts, ends)
    for row, (a, b) in zip(found, ranges, strict=True):
        torch.testing.assert_close(row, x[a:b].mean(0) if b > a else torch.zeros(3))
