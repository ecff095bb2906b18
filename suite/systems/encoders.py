"""The encoder of a system that reads a transformer or, in its place, an LSTM over word vectors."""

from __future__ import annotations

from typing import Literal

from suite.errors import SuiteError
from suite.modelling.encoders import BiLSTM, Transformer
from suite.systems.contract import Resources

EncoderName = Literal["pretrained", "random", "lstm"]
"""A pretrained transformer, the same architecture with fresh weights, an LSTM over word vectors."""

_READ: dict[EncoderName, frozenset[str]] = {
    "pretrained": frozenset({"pretrained"}),
    "random": frozenset({"pretrained", "fresh weights"}),
    "lstm": frozenset({"vectors"}),
}


def resources_of(encoder: EncoderName) -> frozenset[str]:
    """The resources that an encoder is made of."""
    return _READ[encoder]


def make_encoder(
    encoder: EncoderName, resources: Resources, lstm_width: int, title: str
) -> Transformer | BiLSTM:
    """A freshly initialised encoder, but for pretrained weights.

    Args:
        encoder: which.
        resources: of which it is made.
        lstm_width: hidden size of the LSTM, both directions together.
        title: of the system, for the message.

    Raises:
        SuiteError: it asks for a transformer, and the command names none.
    """
    if encoder == "lstm":
        return BiLSTM(resources.vectors, lstm_width)
    pretrained = resources.pretrained
    if pretrained is None:
        raise SuiteError(
            f"{title} needs a pretrained encoder",
            remedy="Name one with --pretrained, or set its encoder to lstm.",
        )
    return Transformer(pretrained.with_fresh_weights() if encoder == "random" else pretrained)
