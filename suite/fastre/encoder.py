"""FastRE's encoder: dilated, gated convolutions with residual connections (section 2.2).

Letters in shapes: B sentences, N words, D hidden size.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from suite.modelling.batch import Text
from suite.modelling.encoders import TextEncoder, WordEmbedding
from suite.modelling.layers import Convolution, Dropout, word_mask
from suite.modelling.start import LinearStart, he_normal, xavier_uniform
from suite.modelling.word_vectors import WordVectors

Gate = Literal["gated linear unit", "highway", "none"]


class Block(nn.Module):
    """One block: two dilated convolutions, a gate, a residual connection.

    Args:
        inputs: width of X. Where it is another than D, X is projected to D before it is added, as
            Gehring et al. (2017, section 3.3) do between convolutions of two widths.
        width: D.
        kernel: words that a convolution sees, odd.
        dilation: distance between them.
        gate: `gated linear unit`: Y_a * sigmoid(Y_b) (equation 4); `highway`:
            sigmoid(Y_b) * X + (1 - sigmoid(Y_b)) * Y_a, which holds its own residual (public code);
            `none`: Y_a alone (Table 5).
        residual: whether X is added (equation 4).
        gate_dropout: on Y_b, before its sigmoid (public code).
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        kernel: int,
        dilation: int,
        gate: Gate,
        *,
        residual: bool,
        gate_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.gate, self.residual = gate, residual
        self.gate_dropout = Dropout(gate_dropout)
        # Both convolutions of equations 2 and 3 at once: their weights lie side by side.
        outputs = width if gate == "none" else 2 * width
        self.convolutions = Convolution(inputs, outputs, kernel, dilation)
        carried = residual or gate == "highway"
        self.carry = (
            Convolution(inputs, width, 1, bias=False) if carried and inputs != width else None
        )

    def gain(self, blocks: int) -> float:
        """By how much the convolutions' start multiplies a variance: 2, as public code has it.

        Public code holds neither of two ablations of Table 5. A gate that is half open takes three
        quarters of a variance away, which no residual connection brings back: there 4, as in
        Gehring et al. (2017, equation 7). Without a gate a residual connection adds to what has
        grown: there one over the number of blocks, so that all of them together give less than e
        times the variance, however many they are. What is lost without a gate depends on it
        (docs/results.md, Table 5).

        Args:
            blocks: of the encoder.
        """
        if self.gate == "gated linear unit" and not self.residual:
            return 4.0
        return 1 / blocks if self.gate == "none" and self.residual else 2.0

    def forward(self, x: Float[Tensor, "B inputs N"]) -> Float[Tensor, "B D N"]:
        """Equation 4, under the block's gate."""
        y: Tensor = self.convolutions(x)
        if self.carry is not None:
            x = self.carry(x)
        if self.gate != "none" and self.gate_dropout.p:
            a, b = y.chunk(2, dim=1)
            y = torch.cat([a, self.gate_dropout(b)], 1)
        if self.gate == "gated linear unit":
            y = nn.functional.glu(y, dim=1)
        elif self.gate == "highway":
            a, b = y.chunk(2, dim=1)
            # Not `lerp`, which refuses two dtypes: under autocast, x has more digits than a.
            y = a + b.sigmoid() * (x - a)
        return y + x if self.residual and self.gate != "highway" else y


class ConvolutionalEncoder(TextEncoder):
    """Word vectors and positions through stacked blocks (equation 1).

    Args:
        vectors: the word vectors, projected to the width of the first block.
        positions: longest sentence, in words.
        widths: of each block; the last is D.
        kernels: of each block.
        dilations: the rate of each block.
        gate, residual: of the blocks.
        dropout: between the blocks.
        gate_dropout: in their gates.
        input_dropout: before the first block.
        linear_start: how the projection starts.
    """

    def __init__(
        self,
        vectors: WordVectors,
        positions: int,
        *,
        widths: Sequence[int],
        kernels: Sequence[int],
        dilations: Sequence[int],
        gate: Gate,
        residual: bool,
        dropout: float,
        gate_dropout: float,
        input_dropout: float,
        linear_start: LinearStart,
    ) -> None:
        super().__init__()
        self.width = widths[-1]
        self.words = WordEmbedding(vectors)
        self.project = nn.Linear(vectors.width, widths[0])
        self.positions = nn.Parameter(torch.empty(positions, widths[0]))
        self.blocks = nn.ModuleList(
            Block(*shape, gate, residual=residual, gate_dropout=gate_dropout)
            for shape in zip((widths[0], *widths[:-1]), widths, kernels, dilations, strict=True)
        )
        self.input_dropout = Dropout(input_dropout)
        self.dropout = Dropout(dropout)
        self._start(linear_start)

    def _start(self, linear_start: LinearStart) -> None:
        """As public code starts, whose framework is Paddle; but see `Block.gain`."""
        if linear_start == "xavier":
            xavier_uniform(self.project)
        nn.init.xavier_uniform_(self.positions)
        for block in self.blocks:
            assert isinstance(block, Block)
            he_normal(block.convolutions, gain=block.gain(len(self.blocks)))
            if block.carry is not None:
                he_normal(block.carry, gain=1.0)  # no ReLU follows, which would take half away

    def encode(self, sentences: Iterable[Sequence[str]]) -> Text:
        """As the word vectors do."""
        return self.words.encode(sentences)

    def word_vectors(self) -> Tensor:
        """The word embedding's."""
        return self.words.table

    def forward(self, text: Text) -> Float[Tensor, "B N D"]:
        """The sentence representation H, zero at padding."""
        vectors = self.words(text)
        return self.convolve(vectors, word_mask(text.lengths, vectors.shape[1]))

    def convolve(
        self, vectors: Float[Tensor, "B N E"], mask: Bool[Tensor, "B N"] | None
    ) -> Float[Tensor, "B N D"]:
        """As `forward`, of the words' vectors.

        Args:
            vectors: of the words, anything at padding.
            mask: True at words; None where nothing is padded.
        """
        x = self.project(vectors)
        x = self.input_dropout(x + self.positions[: x.shape[1]])
        x = _masked(x.transpose(1, 2).contiguous(), mask)
        for i, block in enumerate(self.blocks):
            x = _masked(block(self.dropout(x) if i else x), mask)
        return x.transpose(1, 2)


def _masked(x: Float[Tensor, "B D N"], mask: Bool[Tensor, "B N"] | None) -> Float[Tensor, "B D N"]:
    return x if mask is None else x * mask[:, None, :]
