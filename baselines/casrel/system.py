"""CasRel: a cascade binary tagger on a pretrained encoder (Wei et al., ACL 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from baselines.casrel.tagger import CascadeTagger
from suite.fastre.settings import FastRESettings, encoder_of
from suite.modelling.cascade import (
    CascadeBatch,
    HeadsPerStep,
    TaggedTriples,
    decode_targets,
    encode_targets,
)
from suite.modelling.encoders import TextEncoder
from suite.modelling.layers import Dropout
from suite.systems.capabilities import Choices, Searches
from suite.systems.contract import PLAIN_ADAM, Loss, PublishedSettings, Resources
from suite.systems.encoders import OnEncoder, vary_lstm
from suite.tasks.examples import Example, Sentence
from suite.tasks.items import Prediction
from suite.tasks.schema import Schema


@dataclass(frozen=True)
class CasRelSettings:
    """CasRel's settings; the defaults are the paper's.

    Attributes:
        encoder: `pretrained`, `random` (the same architecture with fresh weights), `lstm` over word
            vectors, or FastRE's `convolution` (the encoder swap of FastRE's discussion, section
            3.7).
        end_projection: whether v_sub sees a subject's end through a linear layer of its own;
            without it, v_sub is the plain mean of the paper, whose bound on words `CascadeTagger`
            tells.
        lstm_width: hidden size of the LSTM, both directions together.
        lstm_dropout: on the LSTM's output.
        threshold: probability above which a word is tagged.
        heads_per_step: the object taggers train on `all` gold subjects or on `one` drawn at random
            (public code).
    """

    encoder: Literal["pretrained", "random", "lstm", "convolution"] = "pretrained"
    end_projection: bool = True
    lstm_width: int = 300
    lstm_dropout: float = 0.2
    threshold: float = 0.5
    heads_per_step: HeadsPerStep = "all"

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold {self.threshold} lies outside (0, 1)")


class CasRel(OnEncoder[CascadeBatch, TaggedTriples], Searches):
    """The system: an encoder with `baselines.casrel.tagger.CascadeTagger` on it."""

    name = "casrel"
    title = "CasRel"
    citation = (
        "Zhepei Wei, Jianlin Su, Yue Wang, Yuan Tian, Yi Chang: A Novel Cascade Binary Tagging "
        "Framework for Relational Triple Extraction. ACL 2020."
    )
    tasks = frozenset({"triples"})
    over_vectors = ("lstm", "convolution")
    departures = (
        "Tags stand on words, whose vectors are the means of their subwords; published code tags "
        "subwords.",
        "v_sub is the mean of the start's vector and a linear projection of the end's: on words, "
        "the plain mean cannot link two subjects of one word each; published code keeps start and "
        "end apart by a separator after every word (setting end_projection).",
        "Every subject of a sentence trains the object taggers in each step; published code draws "
        "one (setting heads_per_step).",
        "Taggers' weights start Xavier-uniform as in published code, but their biases at the "
        "rarity of tags (0.05 for subjects, 0.001 for objects), not at even odds: a few hundred "
        "sentences' steps would go into unlearning them.",
        "The losses are summed over words and averaged over sentences and subjects as FastRE's "
        "are, so that one learning rate serves both; published code averages over words.",
    )
    Settings = CasRelSettings
    published = PublishedSettings(
        settings={"heads_per_step": "one"},
        protocol={
            **PLAIN_ADAM,
            "learning_rate": 1e-5,
            "pretrained_learning_rate": 1e-5,
            "max_gradient_norm": None,
            "batch_size": 6,
            "epochs": 100,
            "patience": 7,
        },
    )

    def __init__(self, settings: CasRelSettings, schema: Schema, resources: Resources) -> None:
        super().__init__()
        self.settings = settings
        self.schema = schema.untyped()
        if settings.encoder == "convolution":
            self.encoder: TextEncoder = encoder_of(FastRESettings(), resources)
        else:
            self.encoder = self.make_encoder(settings.encoder, resources, settings.lstm_width)
        self.dropout = Dropout(settings.lstm_dropout if settings.encoder == "lstm" else 0.0)
        self.tagger = CascadeTagger(
            self.encoder.width,
            schema.relations,
            end_projection=settings.end_projection,
            threshold=settings.threshold,
            heads_per_step=settings.heads_per_step,
        )

    @classmethod
    def vary(cls, settings: CasRelSettings, choices: Choices) -> dict[str, Any]:
        """How subjects are read and trained on, and the size of an LSTM."""
        found: dict[str, Any] = {
            "end_projection": choices.suggest_categorical("end_projection", (True, False)),
            "heads_per_step": choices.suggest_categorical("heads_per_step", ("all", "one")),
            "threshold": choices.suggest_float("threshold", 0.3, 0.7, step=0.05),
        }
        if settings.encoder == "lstm":
            found |= vary_lstm(choices)
        return found

    def encode(self, examples: Sequence[Example]) -> CascadeBatch:
        """Subwords or word ids, subjects, objects with their relations."""
        sentences = cast(Sequence[Sentence], examples)
        text = self.encoder.encode(s.words for s in sentences)
        return CascadeBatch(text, encode_targets(sentences, self.schema))

    def loss(self, batch: CascadeBatch) -> Loss:
        """Binary cross entropy of subject and object tags, summed over words and relations."""
        return self.tagger.loss(self.dropout(self.encoder(batch.text)), batch)

    def forward(self, batch: CascadeBatch) -> TaggedTriples:
        """Tags subjects, then the objects of each, and pairs starts with nearest ends."""
        return self.tagger(self.encoder(batch.text), batch)

    def decode(self, batch: CascadeBatch, scored: TaggedTriples) -> list[list[Prediction]]:
        """The triples of each sentence."""
        return self.tagger.decode(len(batch), scored)

    def ceiling(self, batch: CascadeBatch) -> list[list[Prediction]]:
        """The targets, decoded."""
        return decode_targets(batch, 1, self.schema.relations, "nearest")
