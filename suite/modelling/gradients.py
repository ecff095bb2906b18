"""What a system's loss depends on, word by word, as FastRE's paper explains it (section 3.7).

Letters in shapes: B sentences, N words, H heads of an attention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class Explanation:
    """What a batch of sentences is explained by.

    Attributes:
        gradient_norms: of each word, as `gradient_norms` has them; 0 at padding.
        attention: name of a tagger -> weights of its self-attention: from the word of the row to
            the word of the column. Rows of words sum to 1 over words; rows of padding mean nothing.
    """

    gradient_norms: Float[Tensor, "B N"]
    attention: Mapping[str, Float[Tensor, "B H N N"]] = field(default_factory=dict)


def gradient_norms(words: nn.Module, loss: Callable[[], Float[Tensor, ""]]) -> Float[Tensor, "B N"]:
    """L2 norm of the gradient of a loss by each word's input vector.

    The input vector is what the table of word vectors gives for the word at that place, before
    position, projection and dropout: a word that stands twice has two gradients, and a table that
    training leaves as it is has them too.

    Args:
        words: the module that looks word vectors up; its output is of shape (B, N, width).
        loss: runs the system, which must call `words` once; where it is the sum of the sentences'
            own losses, a sentence's norms do not depend on the others.
    """
    held: list[Tensor] = []

    def detach(_module: nn.Module, _inputs: tuple[object, ...], vectors: Tensor) -> Tensor:
        held.append(vectors.detach().requires_grad_())
        return held[-1]

    hook = words.register_forward_hook(detach)
    try:
        total = loss()
    finally:
        hook.remove()
    (vectors,) = held
    (gradient,) = torch.autograd.grad(total, vectors)
    return gradient.norm(dim=2)
