"""Handshaking kernels: a vector for every two words of which the second is not before the first.

Letters in shapes: M words of a batch (those of its sentences one after another), P pairs of words,
D width of a word's vector, W width of a pair's, F first words, L words from a first one on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

Form = Literal["cat", "cat_plus", "cln", "cln_plus"]
Between = Literal["lstm", "mean", "max", "mix"]
FLOOR = 1e-12
"""Added to the variance of a vector that is normalised, as public code has it."""


class Condition(nn.Module):
    """Scale and shift of a normalised vector, read off another one (conditional LayerNorm).

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Linear(width, width)
        self.shift = nn.Linear(width, width)
        for layer, bias in ((self.scale, 1.0), (self.shift, 0.0)):
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, bias)


class HandshakingKernel(nn.Module):
    """Makes the vectors of pairs.

    `cat` is the paper's tanh(W [h_i; h_j] + b). Public code has three more: `cat_plus`, whose W
    reads the words from the first to the second as well; `cln`, in which the first word scales and
    shifts the normalised second one; and `cln_plus`, in which what lies between does so again.

    Args:
        width: D.
        pair_width: W, which is D where the form begins with `cln`.
        form: which of them.
        between: how the words from the first to the second become one vector.
    """

    def __init__(self, width: int, pair_width: int, form: Form, between: Between) -> None:
        super().__init__()
        self.width, self.pair_width = width, pair_width
        self.between = between if form.endswith("plus") else None
        self.concatenates = form.startswith("cat")
        if self.concatenates:
            self.combine = nn.Linear((3 if self.between else 2) * width, pair_width)
        else:
            self.of_first = Condition(width)
            if self.between:
                self.of_between = Condition(width)
        if self.between == "lstm":
            self.gates = nn.Linear(width, 4 * width)
            self.recurrent = nn.Linear(width, 4 * width, bias=False)
        if self.between == "mix":
            self.share = nn.Parameter(torch.rand(width))

    @property
    def numbers(self) -> int:
        """What a pair is worked on with, as far as it takes room."""
        return self.pair_width * (4 if self.between else 1)

    def words(self, x: Float[Tensor, "M D"]) -> list[Float[Tensor, "M _"]]:
        """What words bring to all their pairs, computed once a word.

        W [h_i; h_j] is a sum of what both bring, and a normalised vector is its word's own.
        """
        if self.concatenates:
            weight, d = self.combine.weight, self.width
            found = [linear(x, weight[:, :d], self.combine.bias), linear(x, weight[:, d : 2 * d])]
        else:
            found = [self.of_first.scale(x), self.of_first.shift(x), normalise(x)]
        if self.between == "lstm":
            found.append(self.gates(x))
        elif self.between:
            found.append(x)
        return found

    def weights(self) -> list[Tensor]:
        """The parameters that `pairs` reads."""
        found: list[Tensor] = []
        if self.between == "lstm":
            found.append(self.recurrent.weight)
        if self.between == "mix":
            found.append(self.share)
        if self.between and self.concatenates:
            found.append(self.combine.weight[:, 2 * self.width :])
        elif self.between:
            found += self.of_between.parameters()
        return found

    def pairs(
        self,
        first: Int[Tensor, " P"],
        second: Int[Tensor, " P"],
        words: Sequence[Float[Tensor, "_ _"]],
        weights: Sequence[Tensor],
    ) -> Float[Tensor, "P W"]:
        """The vectors of pairs.

        Args:
            first: of each pair, the row of its first word.
            second: likewise of its second.
            words: rows of what `words` gave.
            weights: what `weights` gave.
        """
        between = None
        if self.between:
            *words, inputs = words
            between = self._between(first, second, inputs, weights)
        if self.concatenates:
            ours, theirs = words
            h = ours.index_select(0, first) + theirs.index_select(0, second)
            if between is not None:
                h = h + linear(between, weights[-1])
            return _Tanh.apply(h)  # type: ignore[no-untyped-call]
        scale, shift, normal = words
        h = normal.index_select(0, second) * scale.index_select(0, first)
        h = h + shift.index_select(0, first)
        if between is not None:
            again, gain, offset, start = weights[-4:]
            h = normalise(h) * linear(between, again, gain) + linear(between, offset, start)
        return h

    def _between(
        self,
        first: Int[Tensor, " P"],
        second: Int[Tensor, " P"],
        inputs: Float[Tensor, "M _"],
        weights: Sequence[Tensor],
    ) -> Float[Tensor, "P D"]:
        """What the words from first to second are together."""
        starts, row = first.unique(return_inverse=True)
        steps = second - first
        length = int(steps.max()) + 1
        # What follows a sentence is read too: it changes nothing of what stands before it.
        places = starts[:, None] + torch.arange(length, device=starts.device)
        places = places.clamp(max=len(inputs) - 1).flatten()
        x = inputs.index_select(0, places).unflatten(0, (len(starts), length))
        if self.between == "lstm":
            found = _recur(x, weights[0])
        else:
            found = _pool(x, self.between, weights[0] if self.between == "mix" else None)
        return found.flatten(0, 1).index_select(0, row * length + steps)


def normalise(x: Float[Tensor, "rows D"]) -> Float[Tensor, "rows D"]:
    """Vectors of mean 0 and variance 1."""
    precise = x.to(torch.promote_types(x.dtype, torch.float32))
    centred = precise - precise.mean(1, keepdim=True)
    return centred * (centred.square().mean(1, keepdim=True) + FLOOR).rsqrt()


def _pool(
    x: Float[Tensor, "F L D"], how: Between | None, share: Float[Tensor, " D"] | None
) -> Float[Tensor, "F L D"]:
    """Mean or maximum of the words up to each, or a mixture of both."""
    top = x if how == "mean" else x.cummax(1).values
    if how == "max":
        return top
    count = torch.arange(1, x.shape[1] + 1, device=x.device)[:, None]
    mean = x.cumsum(1) / count
    return mean if share is None else share * mean + (1 - share) * top


def _recur(x: Float[Tensor, "F L gates"], recurrent: Float[Tensor, "gates D"]) -> Tensor:
    """Hidden states of an LSTM, from what its inputs bring to its gates."""
    state = x.new_zeros((len(x), recurrent.shape[1]))
    memory, states = state, []
    for step in x.unbind(1):
        i, f, g, o = (step + linear(state, recurrent)).chunk(4, 1)
        memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
        state = o.sigmoid() * memory.tanh()
        states.append(state)
    return torch.stack(states, 1)


class _Tanh(torch.autograd.Function):
    """tanh by way of torch's sigmoid, which is ten times as fast on a CPU."""

    @staticmethod
    def forward(ctx: Any, x: Float[Tensor, "P W"]) -> Float[Tensor, "P W"]:
        """The tanh of each number."""
        if x.device.type == "cpu":
            precise = torch.promote_types(x.dtype, torch.float32)
            y = x.to(precise).mul(2).sigmoid_().mul_(2).sub_(1).to(x.dtype)
        else:
            y = x.tanh()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        """Its gradient, from its output."""
        (y,) = ctx.saved_tensors
        return torch.ops.aten.tanh_backward(slope, y)
