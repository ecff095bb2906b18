"""Layers that several systems share.

Letters in shapes: B sentences, N words, D hidden size.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional


class Dropout(nn.Dropout):
    """Dropout whose mask costs a few bits of random numbers an element on the CPU.

    torch draws a double for every element there, one thread at a time: a millisecond for each of
    FastRE's layers at 32 sentences of 38 words. Sixteen bits are enough: the rate is kept to within
    1e-5.
    """

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Zeroes elements with probability `p` in training and scales the others by 1 / (1 - p)."""
        if not self.training or self.p == 0 or x.device.type != "cpu":
            return super().forward(x)
        draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        bits = draws.view(torch.int16)[: x.numel()].view(x.shape)
        keep = bits >= round(self.p * 2**16) - 2**15
        return x * (keep * (1 / (1 - self.p))).to(x.dtype)


class Convolution(nn.Conv1d):
    """A convolution over words with as many outputs as words, quick for a single sentence too.

    Args:
        inputs, outputs: channels.
        kernel: words that it sees, odd.
        dilation: distance between them.
        bias: whether one is added.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, dilation: int = 1, *, bias: bool = True
    ) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(inputs, outputs, kernel, padding=padding, dilation=dilation, bias=bias)

    def forward(self, x: Float[Tensor, "B inputs N"]) -> Float[Tensor, "B outputs N"]:
        """The convolution; zero beyond both ends."""
        if x.shape[0] != 1 or x.device.type != "cpu":
            return super().forward(x)
        # For one sentence, torch's kernels for the CPU take twice as long as one matrix product.
        words, step, kernel = x.shape[2], self.dilation[0], self.kernel_size[0]
        padded = functional.pad(x[0], (self.padding[0],) * 2)  # type: ignore[arg-type]
        seen = torch.cat([padded[:, i * step : i * step + words] for i in range(kernel)])
        y = self.weight.permute(0, 2, 1).flatten(1) @ seen
        return (y if self.bias is None else y + self.bias[:, None])[None]


def attention(
    query: Float[Tensor, "B H N D"],
    key: Float[Tensor, "B H K D"],
    value: Float[Tensor, "B H K V"],
    allowed: Bool[Tensor, "#B #H #N K"] | None,
    dropout: float = 0.0,
    scale: float | None = None,
) -> Float[Tensor, "B H N V"]:
    """Scaled dot-product attention of H heads.

    On the CPU, torch's kernel is slow to train where weights are dropped (a step of MiniLM on 32
    sentences takes 5 % longer in float32, 20 % in bfloat16), and in bfloat16 at all: its backward
    pass takes five times as long as that of the equation.

    Args:
        query: what each of N asks.
        key: what each of K is asked by; N and K are the same words, or others.
        value: what it answers.
        allowed: False where one of K may not be attended to; None: all may.
        dropout: share of the weights that is dropped; 0 where nothing is trained.
        scale: of the scores; None: the inverse root of D.
    """
    slow = query.device.type == "cpu" and query.requires_grad
    if not (slow and (dropout or query.dtype == torch.bfloat16)):
        return functional.scaled_dot_product_attention(
            query, key, value, attn_mask=allowed, dropout_p=dropout, scale=scale
        )
    scores = (query * (query.shape[-1] ** -0.5 if scale is None else scale)) @ key.transpose(2, 3)
    if allowed is not None:
        scores = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
    weights = Dropout(dropout)(scores.float().softmax(dim=3))
    return weights.to(value.dtype) @ value


class SelfAttention(nn.Module):
    """Multi-head self-attention without an output projection (FastRE, equations 5 to 8).

    Args:
        width: D, of input, queries, keys and values.
        heads: how many heads share the width; scores are scaled by the square root of a head's.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)

    def forward(
        self, x: Float[Tensor, "B N D"], mask: Bool[Tensor, "B N"] | None
    ) -> Float[Tensor, "B N D"]:
        """Attends from every word to the words under `mask` (None: to all)."""
        batch, words, width = x.shape
        query, key, value = self._parts(x)
        allowed = None if mask is None else mask[:, None, None, :]
        y = attention(query, key, value, allowed)
        return y.transpose(1, 2).reshape(batch, words, width)

    def weights(
        self, x: Float[Tensor, "B N D"], mask: Bool[Tensor, "B N"] | None
    ) -> Float[Tensor, "B H N N"]:
        """Those under which `forward` sums values: of each word (row) over words (columns)."""
        query, key, _ = self._parts(x)
        scores = query @ key.transpose(2, 3) * query.shape[-1] ** -0.5
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None, None, :], -torch.inf)
        return scores.softmax(dim=3)

    def _parts(self, x: Float[Tensor, "B N D"]) -> tuple[Float[Tensor, "B H N _"], ...]:
        """Queries, keys and values."""
        batch, words, width = x.shape
        parts = self.project(x).view(batch, words, 3, self.heads, width // self.heads)
        return parts.permute(2, 0, 3, 1, 4).unbind(0)


def multi_head(
    query: Float[Tensor, "B N D"],
    key: Float[Tensor, "B K D"],
    value: Float[Tensor, "B K D"],
    heads: int,
    allowed: Bool[Tensor, "#B #H #N K"] | None,
    dropout: float = 0.0,
) -> Float[Tensor, "B N D"]:
    """Attention of heads that share the width evenly; arguments as `attention` has them."""
    q, k, v = (x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (query, key, value))
    return attention(q, k, v, allowed, dropout).transpose(1, 2).flatten(2)


def heads_that_share(width: int, most: int) -> int:
    """As many heads as share the width evenly, of so many at most."""
    return max(heads for heads in range(1, min(most, width) + 1) if width % heads == 0)


def word_mask(lengths: Tensor, words: int) -> Bool[Tensor, "B N"] | None:
    """True at words, False at padding; None where nothing is padded, which spares the masking."""
    if int(lengths.min()) == words:
        return None
    return torch.arange(words, device=lengths.device) < lengths[:, None]


def words_at(
    x: Float[Tensor, "B N D"], rows: Int[Tensor, " some"], words: Int[Tensor, " some"]
) -> Float[Tensor, "some D"]:
    """The vectors of some words, `x[rows, words]`, whose gradient is the same on every thread.

    torch sums the gradient of such indexing by several threads at once, in any order: two runs of
    one seed then part in the last digit, and from there on in all of them.
    """
    return x.flatten(0, 1).index_select(0, rows * x.shape[1] + words)
