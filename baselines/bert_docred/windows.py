"""Texts longer than a transformer's limit, read by overlapping windows or cut.

Letters in shapes: S subwords of all texts of a batch, W windows, E width of the vectors.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from suite.errors import SuiteError
from suite.modelling.batch import Text
from suite.modelling.encoders import SubwordTable, TextEncoder
from suite.modelling.groups import members
from suite.modelling.pretrained import PretrainedModel
from suite.modelling.ragged import Ragged

Long = Literal["windows", "cut"]
SPECIAL = 2
"""The subwords that open and close every window."""


class Window(NamedTuple):
    """A part of a text that goes through the encoder by itself.

    Attributes:
        start: its first subword in the text.
        length: its subwords.
        first, end: those of its subwords whose vectors are taken from it, counted in the window.
    """

    start: int
    length: int
    first: int
    end: int


def windows_of(subwords: int, size: int, stride: int) -> list[Window]:
    """The windows of a text; every subword is taken from the one where it has most context.

    Context is the distance to the nearer edge at which the window leaves text out, so windows
    that follow each other hand over in the middle of what they share.

    Args:
        subwords: of the text, special ones left out.
        size: subwords that a window holds, special ones left out.
        stride: from one window's start to the next's, at most `size`. The last window is moved
            back to end with the text.
    """
    length = min(subwords, size)
    steps = -(-(subwords - length) // stride)
    starts = [min(i * stride, subwords - length) for i in range(steps + 1)]
    middles = [(a + length + b) // 2 for a, b in pairwise(starts)]
    return [
        Window(start, length, first - start, end - start)
        for start, first, end in zip(starts, [0, *middles], [*middles, subwords], strict=True)
    ]


@dataclass(frozen=True)
class LongText(Text):
    """What `LongTransformer` reads; its words are how many subwords each has.

    Attributes:
        subwords: ids, special ones left out.
        windows: see `Window`.
        read: one number per text: how many of its words, from the first onwards, have all of their
            subwords (all of them unless it is cut).
    """

    subwords: Ragged
    windows: Ragged
    read: Ragged


class LongTransformer(TextEncoder):
    """A transformer that gives the subwords of texts of any length a vector each.

    Args:
        source: the model and its tokenizer.
        long: a text over the model's limit is read by overlapping `windows`, or is `cut` to its
            first subwords.
        stride: of the windows, in subwords.

    Raises:
        SuiteError: windows of that stride would leave gaps.
    """

    def __init__(self, source: PretrainedModel, long: Long, stride: int) -> None:
        super().__init__()
        self.model = source.make_model()
        self.width = int(self.model.config.hidden_size)
        self.pretrained = source.pretrained
        self.long, self.stride = long, stride
        self.size = source.limit - SPECIAL
        if long == "windows" and stride > self.size:
            raise SuiteError(
                f"windows every {stride} subwords leave gaps: {source.source} reads {self.size}",
                remedy="Set a smaller stride.",
            )
        tokenizer = source.tokenizer
        self.subwords = SubwordTable(tokenizer, limit=sys.maxsize)
        self.opening, self.closing = int(tokenizer.cls_token_id), int(tokenizer.sep_token_id)
        self.padding = int(tokenizer.pad_token_id or 0)

    def encode(self, sentences: Iterable[Sequence[str]]) -> LongText:
        """Subwords and windows of texts, which are words."""
        held = list(sentences)
        ids, owners = self.subwords.rows(held)
        words, subwords, windows, read = [], [], [], []
        for text, row, of_word in zip(held, ids, owners, strict=True):
            inner = row[1:-1]
            kept = min(len(inner), self.size) if self.long == "cut" else len(inner)
            counts = [0] * len(text)
            for word in of_word[1 : kept + 1]:
                counts[word] += 1
            whole = kept == len(inner) or of_word[kept] != of_word[kept + 1]
            words.append(counts)
            subwords.append(inner[:kept])
            windows.append(windows_of(kept, self.size, self.stride))
            read.append([of_word[kept] + whole])
        return LongText(
            words=Ragged.from_rows(words),
            subwords=Ragged.from_rows(subwords),
            windows=Ragged.from_rows(windows, len(Window._fields)),
            read=Ragged.from_rows(read),
        )

    def forward(self, text: LongText) -> Float[Tensor, "S E"]:
        """The subwords' last hidden states, text after text; all windows go in together."""
        subwords, windows = text.subwords, text.windows
        start, length, first, end = (column[:, None] for column in windows.values.unbind(1))
        # Places count a window's own subwords: -1 is the opening one, `length` the closing one.
        place = torch.arange(-1, int(length.max()) + 1, device=start.device)
        in_batch = subwords.offsets[windows.owners][:, None] + start + place
        ids: Int[Tensor, "W places"] = subwords.values[
            in_batch.clamp(0, max(0, len(subwords.values) - 1))
        ]
        ids = ids.masked_fill(place < 0, self.opening).masked_fill(place == length, self.closing)
        ids = ids.masked_fill(place > length, self.padding)
        mask = (place <= length).long()
        hidden = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
        taken = ((place >= first) & (place < end)).flatten().nonzero().squeeze(1)
        return hidden.flatten(0, 1).index_select(0, taken).float()


def range_means(
    vectors: Float[Tensor, "S E"], starts: Int[Tensor, " ranges"], ends: Int[Tensor, " ranges"]
) -> Float[Tensor, "ranges E"]:
    """The mean of `vectors[start:end]` for each range; zero for an empty one."""
    lengths = ends - starts
    owners, within = members(lengths)
    sums = vectors.new_zeros(len(lengths), vectors.shape[1])
    sums = sums.index_add(0, owners, vectors.index_select(0, starts[owners] + within))
    return sums / lengths.clamp(min=1)[:, None]
