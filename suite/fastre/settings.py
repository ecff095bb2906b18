"""FastRE's settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from suite.fastre.encoder import ConvolutionalEncoder, Gate
from suite.fastre.tagging import Thresholds
from suite.modelling.cascade import HeadsPerStep, SpanRule, TailRule
from suite.modelling.start import LinearStart
from suite.systems.contract import Resources

TaggerConvolutions = Literal["separate", "shared"]
"""Whether each tagger convolves the sentence by weights of its own, or both by the same."""


@dataclass(frozen=True)
class FastRESettings:
    """FastRE's settings; the defaults are the paper's.

    Attributes:
        width: hidden size D.
        dilations: dilation rate of each block (Table 4).
        kernel: words that a convolution sees.
        widths: of each block, whose last is D; the words are projected to the first. None: D.
        kernels: of each block; None: `kernel`.
        gate: how a block gates (Table 5, "- Gated Unit": `none`; public code: `highway`).
        residual: whether a block adds its input (Table 5).
        attention_heads: of both self-attentions.
        type_width: of the entity type embedding.
        dropout: between blocks.
        gate_dropout: in each gate, before its sigmoid, where public code has its only dropout but
            the first; the paper names none there.
        input_dropout: before the first block; the paper names none, public code 0.25.
        mapping: whether heads have types (Table 5: False is the one type [ANY]).
        relations_of_types: whether a head's type bounds its relations, as the paper's mapping
            mechanism does; public code types heads and bounds nothing.
        thresholds: learnt for each position, or one `global` over sigmoids, fitted on dev
            (Table 5).
        heads_per_step: the tail tagger trains on `all` gold heads (equation 15) or on `one` drawn
            at random (public code).
        span_rule: how heads are decoded; the paper does not say.
        tail_rule: how tails are: a start with its `nearest` end, or as in `public code`, which
            ends none on a sentence's last word and none of more than 21 words.
        linear_start: how linear layers start: as `torch` has them, or Xavier-uniform without biases
            (`xavier`), as public code's framework does.
        tagger_convolutions: whether both taggers convolve the sentence by one layer (`shared`);
            equations 9 and 13 have one each.
        learning_rate_factor: of the protocol's learning rate; for searches, where a structure may
            want another rate.
    """

    width: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 1, 1, 1)
    kernel: int = 3
    gate: Gate = "gated linear unit"
    residual: bool = True
    attention_heads: int = 8
    type_width: int = 64
    dropout: float = 0.1
    gate_dropout: float = 0.0
    input_dropout: float = 0.25
    mapping: bool = True
    relations_of_types: bool = True
    thresholds: Thresholds = "adaptive"
    heads_per_step: HeadsPerStep = "all"
    span_rule: SpanRule = "nearest"
    tail_rule: TailRule = "nearest"
    linear_start: LinearStart = "torch"
    widths: tuple[int, ...] | None = None
    kernels: tuple[int, ...] | None = None
    tagger_convolutions: TaggerConvolutions = "separate"
    learning_rate_factor: float = 1.0

    def __post_init__(self) -> None:
        if self.width % self.attention_heads:
            raise ValueError(
                f"width {self.width} is not a multiple of attention_heads {self.attention_heads}"
            )
        if not self.dilations or min(self.dilations) < 1:
            raise ValueError(f"dilations {self.dilations} need at least one rate of 1 or more")
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel {self.kernel} is even: a word needs as many on both sides")
        for name, held in (("widths", self.block_widths), ("kernels", self.block_kernels)):
            if len(held) != len(self.dilations):
                raise ValueError(f"{name} {held} are not one for each rate of {self.dilations}")
        if any(kernel < 1 or kernel % 2 == 0 for kernel in self.block_kernels):
            raise ValueError(f"kernels {self.block_kernels} are to be odd numbers of 1 or more")
        if min(self.block_widths) < 1 or self.block_widths[-1] != self.width:
            raise ValueError(
                f"widths {self.block_widths} are to be 1 or more and to end on width {self.width}"
            )
        if not 0 < self.learning_rate_factor < math.inf:
            raise ValueError(f"learning_rate_factor {self.learning_rate_factor} is not above 0")

    @property
    def block_widths(self) -> tuple[int, ...]:
        """The width of each block."""
        return (self.width,) * len(self.dilations) if self.widths is None else self.widths

    @property
    def block_kernels(self) -> tuple[int, ...]:
        """The kernel of each block."""
        return (self.kernel,) * len(self.dilations) if self.kernels is None else self.kernels


def encoder_of(settings: FastRESettings, resources: Resources) -> ConvolutionalEncoder:
    """A freshly initialised encoder as the settings have it, over the resources' word vectors."""
    return ConvolutionalEncoder(
        resources.vectors,
        resources.max_words,
        widths=settings.block_widths,
        kernels=settings.block_kernels,
        dilations=settings.dilations,
        gate=settings.gate,
        residual=settings.residual,
        dropout=settings.dropout,
        gate_dropout=settings.gate_dropout,
        input_dropout=settings.input_dropout,
        linear_start=settings.linear_start,
    )
