"""FastNER: early exit from a BERT biaffine tagger of spans (Zhang et al., ADMA 2023).

Letters in shapes: B sentences, b those that have not left, N words, E width, T types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, gelu

from baselines.fastner.biaffine import BiaffineSpans, span_mask
from baselines.fastner.exits import ExitRule
from baselines.fastner.layered import LayeredTransformer, Midway
from baselines.fastner.spans import (
    Candidates,
    SpanBatch,
    candidates_of,
    decode_entities,
    dense_entities,
    encode_entities,
)
from suite.errors import unknown
from suite.modelling.layers import Convolution
from suite.systems.capabilities import Choices, ExitsEarly, OperatingPoint, Searches
from suite.systems.contract import Loss, Resources
from suite.systems.encoders import OnEncoder
from suite.tasks.examples import Example, Sentence
from suite.tasks.items import Prediction
from suite.tasks.schema import Schema

GRID: dict[str, tuple[float, ...]] = {
    "entropy": (0.05, 0.1, 0.2, 0.4, 0.8, 1.2),
    "confidence": (0.99, 0.95, 0.9, 0.8, 0.7, 0.6),
    "patience": (2, 3, 4, 5, 6),
}
"""The thresholds of each exit rule that are measured, from few exits to many (of patience: from
many to few)."""


@dataclass(frozen=True)
class FastNERSettings:
    """FastNER's settings; the abstract, which alone is public, names none of their values.

    Attributes:
        bypass: whether a convolution stands between a layer and its classifier.
        bypass_width: channels of that convolution.
        bypass_kernel: words that it sees, odd.
        width: of the projections of starts and ends; 150 in Yu et al. (2020).
        dropout: on both projections; 0.2 in Yu et al. (2020).
        exit_weights: whether the exits' losses count the same (`equal`) or as the number of their
            layer (`depth`).
        decoding: `flat` spans share no word, `nested` ones do not cross; `auto` is nested where
            train has nested entities.
        exit_rule: by which sentences leave before the last layer (`baselines.fastner.exits`).
        exit_threshold: of the rule; bits, a probability, or a number of layers.
    """

    bypass: bool = True
    bypass_width: int = 64
    bypass_kernel: int = 3
    width: int = 150
    dropout: float = 0.2
    exit_weights: Literal["equal", "depth"] = "equal"
    decoding: Literal["auto", "flat", "nested"] = "auto"
    exit_rule: Literal["none", "entropy", "confidence", "patience"] = "none"
    exit_threshold: float = 0.0

    def __post_init__(self) -> None:
        if min(self.width, self.bypass_width) < 1:
            raise ValueError(f"widths {self.width} and {self.bypass_width} must be 1 or more")
        if self.bypass_kernel < 1 or self.bypass_kernel % 2 == 0:
            raise ValueError(
                f"bypass_kernel {self.bypass_kernel} is not odd: a word needs as many on both sides"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout {self.dropout} lies outside [0, 1)")
        if self.exit_rule != "none" and self.exit_threshold <= 0:
            raise ValueError(f"exit_threshold {self.exit_threshold} is not above 0")


class Bypass(nn.Module):
    """Adds to each word what a narrow convolution makes of it and its neighbours.

    It starts as the identity, so that a classifier first reads what its layer says.

    Args:
        inputs: E.
        width: channels of the convolution.
        kernel: words that it sees, odd.
    """

    def __init__(self, inputs: int, width: int, kernel: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(inputs, width)
        self.convolution = Convolution(width, width, kernel)
        self.widen = nn.Linear(width, inputs)
        nn.init.zeros_(self.widen.weight)
        nn.init.zeros_(self.widen.bias)

    def forward(
        self, x: Float[Tensor, "b N E"], present: Bool[Tensor, "b N"]
    ) -> Float[Tensor, "b N E"]:
        """The words for the classifier."""
        seen = gelu(self.narrow(x)) * present[:, :, None]
        y: Tensor = self.widen(gelu(self.convolution(seen.mT)).mT)
        return x + y


class Exit(nn.Module):
    """Reads spans off one layer.

    Args:
        inputs: E.
        types: T.
        settings: FastNER's.
    """

    def __init__(self, inputs: int, types: int, settings: FastNERSettings) -> None:
        super().__init__()
        width, kernel = settings.bypass_width, settings.bypass_kernel
        self.bypass = Bypass(inputs, width, kernel) if settings.bypass else None
        self.classifier = BiaffineSpans(inputs, settings.width, types, settings.dropout)

    def forward(
        self, x: Float[Tensor, "b N E"], lengths: Int[Tensor, " b"]
    ) -> Float[Tensor, "b N N T"]:
        """Scores of all spans."""
        if self.bypass is not None:
            x = self.bypass(x, torch.arange(x.shape[1], device=x.device) < lengths[:, None])
        scores: Tensor = self.classifier(x)
        return scores.float()


class FastNER(OnEncoder[SpanBatch, Candidates], Searches, ExitsEarly):
    """The system.

    A classifier gives each span a probability of each type, and what stands above one half is
    decoded by score. Sentences that have left take no part in the layers that follow.
    """

    name = "fastner"
    title = "FastNER"
    citation = (
        "Yuming Zhang, Xiangxiang Gao, Wei Zhu, Xiaoling Wang: FastNER: Speeding up Inferences for "
        "Named Entity Recognition Tasks. ADMA 2023."
    )
    tasks = frozenset({"ner"})
    departures = (
        "Only the abstract is public. The form of the bypass, how the exits are trained together, "
        "the exit rules and all numbers are this project's choice.",
        "The bypass adds to each word what a linear layer to 64 channels, a convolution over 3 "
        "words and a linear layer back make of it, with GELU between them; it starts as the "
        "identity (settings bypass, bypass_width and bypass_kernel).",
        "Every type of a span has a probability of its own, trained with binary cross entropy; Yu "
        "et al. (2020), whose classifier the paper names, choose among the types and none by a "
        "softmax, under which no span can have two types.",
        "A classifier starts with a probability of 0.01 for every span and type.",
        "Spans are spans of words, whose vectors are the means of their subwords at each layer; an "
        "encoder that normalises before its layers is read through its final norm at every exit.",
        "The losses are summed over spans and types and averaged over the exits (setting "
        "exit_weights) and sentences.",
        "Entropy and confidence are those of a span's set of types, the types independent, and all "
        "spans of a sentence are candidates: the most uncertain one decides.",
        "Patience compares the typed spans above one half, before clashes are resolved.",
    )
    Settings = FastNERSettings
    encoder: LayeredTransformer

    def __init__(self, settings: FastNERSettings, schema: Schema, resources: Resources) -> None:
        super().__init__()
        self.settings = settings
        self.schema = schema
        self.nested = settings.decoding == "nested" or (
            settings.decoding == "auto" and schema.nested
        )
        self.encoder = LayeredTransformer(self.named_transformer(resources))
        types = len(schema.entity_types)
        self.exits = nn.ModuleList(
            Exit(self.encoder.width, types, settings) for _ in range(self.encoder.depth)
        )
        rule = "" if settings.exit_rule == "none" else settings.exit_rule
        self.operate_at(OperatingPoint(rule, settings.exit_threshold))

    @classmethod
    def vary(cls, settings: FastNERSettings, choices: Choices) -> dict[str, Any]:
        """The bypass, the classifier's width, and how much each exit counts."""
        found: dict[str, Any] = {
            "bypass": choices.suggest_categorical("bypass", (True, False)),
            "width": choices.suggest_categorical("width", (50, 100, 150, 200)),
            "dropout": choices.suggest_float("dropout", 0.0, 0.4, step=0.1),
            "exit_weights": choices.suggest_categorical("exit_weights", ("equal", "depth")),
        }
        if found["bypass"]:
            found["bypass_width"] = choices.suggest_categorical("bypass_width", (32, 64, 128))
            found["bypass_kernel"] = choices.suggest_categorical("bypass_kernel", (1, 3, 5, 7))
        return found

    def encode(self, examples: Sequence[Example]) -> SpanBatch:
        """Subwords and entities."""
        sentences = cast(Sequence[Sentence], examples)
        text = self.encoder.encode(s.words for s in sentences)
        return SpanBatch(text, encode_entities(sentences, self.schema))

    def loss(self, batch: SpanBatch) -> Loss:
        """Binary cross entropy of all exits, summed over spans and types, averaged over exits."""
        tags = dense_entities(batch, len(self.schema.entity_types)).float()
        spans = span_mask(batch.lengths, tags.shape[1])[..., None].float()
        midway, losses = self.encoder.start(batch.text), []
        for layer in range(self.encoder.depth):
            midway = self.encoder.step(midway, layer)
            scores = self._scores(midway, layer)
            losses.append(
                binary_cross_entropy_with_logits(scores, tags, weight=spans, reduction="sum")
            )
        shares = self._exit_shares()
        parts = [share * loss / len(batch) for share, loss in zip(shares, losses, strict=True)]
        named = {f"layer {i}": part.detach() for i, part in enumerate(parts, start=1)}
        return Loss(torch.stack(parts).sum(), named)

    def _exit_shares(self) -> list[float]:
        depth = self.encoder.depth
        weights = [1 if self.settings.exit_weights == "equal" else i + 1 for i in range(depth)]
        return [weight / sum(weights) for weight in weights]

    def _scores(self, midway: Midway, layer: int) -> Float[Tensor, "b N N T"]:
        return self.exits[layer](self.encoder.words(midway), midway.lengths)

    def forward(self, batch: SpanBatch) -> Candidates:
        """The candidates of each sentence where it leaves; layers go on without it."""
        rule, last = ExitRule(self._point), self.encoder.depth - 1
        midway, found = self.encoder.start(batch.text), []
        for layer in range(self.encoder.depth):
            midway = self.encoder.step(midway, layer)
            if layer < last and not self._point.rule:
                continue
            spans = span_mask(midway.lengths, int(midway.lengths.max()))
            probability = self._scores(midway, layer).sigmoid() * spans[..., None]
            leaving = torch.ones_like(midway.rows, dtype=torch.bool)
            if layer < last:
                leaving = rule.leaving(midway.rows, probability)
            count = int(leaving.sum())
            if not count:
                continue
            found.append(candidates_of(midway.rows[leaving], probability[leaving]))
            self._sentences += count
            self._layers += count * (layer + 1)
            if count == len(leaving):
                break
            midway = self.encoder.keep(midway, ~leaving)
        return Candidates(*map(torch.cat, zip(*found, strict=True)))

    def decode(self, batch: SpanBatch, scored: Candidates) -> list[list[Prediction]]:
        """Resolves the clashes of each sentence's candidates."""
        words, names = int(batch.lengths.max()), self.schema.entity_types
        return decode_entities(len(batch), words, scored, names, nested=self.nested)

    def ceiling(self, batch: SpanBatch) -> list[list[Prediction]]:
        """The targets, decoded."""
        tags = dense_entities(batch, len(self.schema.entity_types))
        rows = torch.arange(len(batch), device=tags.device)
        return self.decode(batch, candidates_of(rows, tags.float()))

    @classmethod
    def operating_points(cls, settings: FastNERSettings) -> tuple[OperatingPoint, ...]:
        """Full depth, and every rule under several thresholds."""
        grid = (OperatingPoint(rule, value) for rule, values in GRID.items() for value in values)
        return (OperatingPoint("", 0.0), *grid)

    def operate_at(self, point: OperatingPoint) -> None:
        """Sets the exit rule, and counts layers anew.

        Raises:
            SuiteError: no such rule.
        """
        if point.rule and point.rule not in GRID:
            raise unknown("exit rule", point.rule, GRID)
        self._point = point
        self._sentences = self._layers = 0

    def layers_used(self) -> float:
        """Mean number of layers of the sentences predicted since `operate_at`.

        Raises:
            ZeroDivisionError: none was.
        """
        return self._layers / self._sentences
