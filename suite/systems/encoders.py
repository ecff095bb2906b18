"""What systems on an encoder share: its settings, how it is made, and which resources it reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from suite.errors import SuiteError
from suite.modelling.encoders import BiLSTM, TextEncoder, Transformer
from suite.modelling.pretrained import PretrainedModel
from suite.systems.capabilities import Choices
from suite.systems.contract import B, Resources, S, System

EncoderName = Literal["pretrained", "random", "lstm"]
"""A pretrained transformer, the same architecture with fresh weights, an LSTM over word vectors."""


@dataclass(frozen=True)
class EncoderSettings:
    """The settings of an encoder that is a transformer or an LSTM.

    Attributes:
        encoder: `pretrained`, `random` (the same architecture with fresh weights), or `lstm` over
            word vectors.
        lstm_width: hidden size of the LSTM, both directions together.
        lstm_dropout: on the LSTM's output.
    """

    encoder: EncoderName = "pretrained"
    lstm_width: int = 300
    lstm_dropout: float = 0.2

    def __post_init__(self) -> None:
        if self.lstm_width < 2 or self.lstm_width % 2:
            raise ValueError(
                f"lstm_width {self.lstm_width} must be an even number: both directions share it"
            )
        if not 0 <= self.lstm_dropout < 1:
            raise ValueError(f"lstm_dropout {self.lstm_dropout} lies outside [0, 1)")

    @property
    def encoder_dropout(self) -> float:
        """On the encoder's output; a transformer has dropout of its own."""
        return self.lstm_dropout if self.encoder == "lstm" else 0.0


class OnEncoder(System[B, S]):
    """A system on one encoder, which its setting `encoder` names where there is a choice.

    Attributes:
        encoder: of its words.
        over_vectors: values of the setting `encoder` that read word vectors; the others read the
            transformer that the command names.
    """

    encoder: TextEncoder
    over_vectors: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def resources_needed(cls, settings: Any) -> frozenset[str]:
        """The transformer, or its architecture alone, or word vectors."""
        encoder = settings.encoder if cls.over_vectors else "pretrained"
        if encoder in cls.over_vectors:
            return frozenset({"vectors"})
        needed = frozenset({"pretrained"})
        return needed | {"fresh weights"} if encoder == "random" else needed

    @classmethod
    def named_transformer(cls, resources: Resources) -> PretrainedModel:
        """The transformer that the command names.

        Raises:
            SuiteError: it names none.
        """
        if resources.pretrained is None:
            remedy = "Name one with --pretrained"
            if cls.over_vectors:
                remedy += f", or set its encoder to {' or '.join(cls.over_vectors)}"
            raise SuiteError(f"{cls.title} needs a pretrained encoder", remedy=f"{remedy}.")
        return resources.pretrained

    @classmethod
    def make_encoder(
        cls, encoder: str, resources: Resources, *lstm_widths: int
    ) -> Transformer | BiLSTM:
        """A freshly initialised encoder, but for pretrained weights.

        Args:
            encoder: which.
            resources: of which it is made.
            lstm_widths: hidden size of each LSTM, both directions together.

        Raises:
            SuiteError: it asks for a transformer, and the command names none.
        """
        if encoder in cls.over_vectors:
            return BiLSTM(resources.vectors, *lstm_widths)
        model = cls.named_transformer(resources)
        return Transformer(model.with_fresh_weights() if encoder == "random" else model)

    def pretrained_parameters(self) -> Iterator[nn.Parameter]:
        """The encoder's that are trained, where it is a pretrained one."""
        return self.encoder.pretrained_parameters()

    def word_vectors(self) -> Tensor | None:
        """The encoder's table; a transformer's embeddings are its own."""
        return self.encoder.word_vectors()


def vary_lstm(
    choices: Choices, widths: tuple[int, ...] = (100, 200, 300, 400)
) -> dict[str, int | float]:
    """An LSTM's settings in a search."""
    return {
        "lstm_width": choices.suggest_categorical("lstm_width", widths),
        "lstm_dropout": choices.suggest_float("lstm_dropout", 0.0, 0.5, step=0.1),
    }
