"""Entity spans as one BIOES tag per word, and back.

Letters in shapes: B sentences, N words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from suite.modelling.cascade import Spans
from suite.modelling.ragged import Ragged
from suite.tasks.examples import Span

TAGS = ("O", "B", "I", "E", "S")
"""Outside; first, inner and last word of a longer span; a span of one word. Index = class."""
_O, _B, _I, _E, _S = range(len(TAGS))


def tag_spans(lengths: Sequence[int], spans: Sequence[Iterable[Span]]) -> Ragged:
    """The tag of every word.

    A word has one tag, so of spans that overlap one is kept: the longer, of equal length the
    earlier.

    Args:
        lengths: words of each sentence.
        spans: of each sentence, in any order, within its words.
    """
    rows = []
    for length, found in zip(lengths, spans, strict=True):
        row = [_O] * length
        for start, end in sorted(set(found), key=lambda s: (s.start - s.end, s.start)):
            if any(row[start:end]):
                continue
            inner = [_B, *[_I] * (end - start - 2), _E]
            row[start:end] = [_S] if end - start == 1 else inner
        rows.append(row)
    return Ragged.from_rows(rows)


def decode_tags(tags: Int[Tensor, "B N"], mask: Bool[Tensor, "B N"]) -> Spans:
    """The spans that are tagged S, or B, any number of I, and E; other runs of tags are not spans.

    Args:
        tags: the class of each word.
        mask: True at words, False at padding.

    Returns:
        The spans by row and first word, all of class 0.
    """
    tags = tags.where(mask, _O)
    positions = torch.arange(tags.shape[1], device=tags.device).expand(tags.shape)
    # A span's first word is the last one before its end that is not I: a running maximum.
    opener = positions.where(tags != _I, -1).cummax(1).values.roll(1, dims=1)
    opener = opener.where(positions > 0, -1)
    opened = (opener >= 0) & (tags.gather(1, opener.clamp(min=0)) == _B)
    rows, last = ((tags == _S) | (tags == _E) & opened).nonzero(as_tuple=True)
    first = last.where(tags[rows, last] == _S, opener[rows, last])
    return Spans(rows, torch.zeros_like(rows), first, last)
