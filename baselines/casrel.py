"""CasRel: a cascade binary tagger on a pretrained encoder (Wei et al., ACL 2020).

Letters in shapes: B sentences, N words, D hidden size, T subjects, R relations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from suite.cascade import (
    HeadsPerStep,
    Spans,
    batch_targets,
    decode_spans,
    decode_targets,
    dense_tags,
    encode_targets,
    find_triples,
)
from suite.convolution import ConvolutionalEncoder
from suite.encoded import Batch, Encoded
from suite.encoders import BiLSTM, Transformer
from suite.errors import SuiteError
from suite.examples import Example, Sentence
from suite.fastre import FastRESettings
from suite.layers import Dropout
from suite.schema import Schema
from suite.stages import stage
from suite.system import Loss, Prediction, PublishedSettings, Resources, System


@dataclass(frozen=True)
class CasRelSettings:
    """CasRel's settings; the defaults are the paper's.

    Attributes:
        encoder: `pretrained`, `lstm` over word vectors, or FastRE's `convolution` (the encoder swap
            of FastRE's discussion, section 3.7).
        end_projection: whether v_sub sees a subject's end through a linear layer of its own;
            without it, v_sub is the plain mean of the paper, whose bound on words `CasRel` tells.
        lstm_width: hidden size of the LSTM, both directions together.
        lstm_dropout: on the LSTM's output.
        threshold: probability above which a word is tagged.
        heads_per_step: the object taggers train on `all` gold subjects or on `one` drawn at random
            (public code).
    """

    encoder: Literal["pretrained", "lstm", "convolution"] = "pretrained"
    end_projection: bool = True
    lstm_width: int = 300
    lstm_dropout: float = 0.2
    threshold: float = 0.5
    heads_per_step: HeadsPerStep = "all"

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold {self.threshold} lies outside (0, 1)")


class CasRel(System):
    """The system; its equations are those of the paper's sections 3.2 and 3.3.

    Object scores are linear in H + v_sub, so how a word scores given a subject is the sum of what
    each brings alone. A subject of one word starts and ends with the same vector; then
    s(o | s) + s(s | o) = s(s | s) + s(o | o), and two such subjects cannot be linked by a triple
    (a quarter of WebNLG*'s triples, a fifth of NYT10's). Published code puts a separator behind
    every word, on which spans end, and so never meets it; here the end has a projection.
    """

    name = "casrel"
    title = "CasRel"
    citation = (
        "Zhepei Wei, Jianlin Su, Yue Wang, Yuan Tian, Yi Chang: A Novel Cascade Binary Tagging "
        "Framework for Relational Triple Extraction. ACL 2020."
    )
    tasks = frozenset({"triples"})
    departures = (
        "Tags stand on words, whose vectors are the means of their subwords; published code tags "
        "subwords.",
        "v_sub is the mean of the start's vector and a linear projection of the end's: on words, "
        "the plain mean cannot link two subjects of one word each; published code keeps start and "
        "end apart by a separator behind every word (setting end_projection).",
        "Every subject of a sentence trains the object taggers in each step; published code draws "
        "one (setting heads_per_step).",
        "The losses are summed over words and averaged over sentences and subjects as FastRE's "
        "are, so that one learning rate serves both; published code averages over words.",
    )
    Settings = CasRelSettings
    published = PublishedSettings(
        settings={"heads_per_step": "one"},
        protocol={
            "optimiser": "adam",
            "schedule": "constant",
            "learning_rate": 1e-5,
            "pretrained_learning_rate": 1e-5,
            "weight_decay": 0.0,
            "warmup": 0.0,
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
        self.encoder = _make_encoder(settings, resources)
        self.dropout = Dropout(settings.lstm_dropout if settings.encoder == "lstm" else 0.0)
        width = self.encoder.width
        self.end_projection = nn.Linear(width, width) if settings.end_projection else nn.Identity()
        self.subject_scores = nn.Linear(width, 2)
        self.object_scores = nn.Linear(width, 2 * len(schema.relations))

    @classmethod
    def build(cls, settings: CasRelSettings, schema: Schema, resources: Resources) -> CasRel:
        """A CasRel whose taggers are freshly initialised."""
        return cls(settings, schema, resources)

    @classmethod
    def resources_needed(cls, settings: CasRelSettings) -> frozenset[str]:
        """The pretrained encoder, or word vectors for the other two."""
        return frozenset({"pretrained" if settings.encoder == "pretrained" else "vectors"})

    def pretrained_parameters(self) -> Iterator[nn.Parameter]:
        """The encoder's, where it is a pretrained one."""
        if isinstance(self.encoder, Transformer) and self.encoder.pretrained:
            yield from self.encoder.parameters()

    def word_vectors(self) -> Tensor | None:
        """The encoder's table; a transformer's embeddings are its own."""
        if isinstance(self.encoder, Transformer):
            return None
        return self.encoder.words.table

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Subwords or word ids, subjects, objects with their relations."""
        sentences = cast(Sequence[Sentence], examples)
        words = self.encoder.encode(s.words for s in sentences)
        return Encoded({**words, **encode_targets(sentences, self.schema)})

    def _score_objects(
        self,
        h: Float[Tensor, "B N D"],
        rows: Int[Tensor, " T"],
        first: Int[Tensor, " T"],
        last: Int[Tensor, " T"],
    ) -> Float[Tensor, "T N 2 R"]:
        """Scores of start and end given v_sub, the mean of the subject's start and end."""
        # The layer is linear in H + v_sub, so H goes through it once, for all subjects.
        subject = (h[rows, first] + self.end_projection(h[rows, last])) / 2
        weight = self.object_scores.weight
        scores: Tensor = (
            self.object_scores(h)[rows] + nn.functional.linear(subject, weight)[:, None]
        )
        return scores.unflatten(2, (2, -1))

    def loss(self, batch: Batch) -> Loss:
        """Binary cross entropy of subject and object tags, summed over words and relations."""
        h = self.dropout(self.encoder(batch))
        words = h.shape[1]
        present = batch["words"].mask()
        targets = batch_targets(batch)
        first, last, kind = targets.heads.unbind(1)
        shape = (len(batch), words, 1)
        tags = [dense_tags(targets.head_rows, w, kind, shape).squeeze(2) for w in (first, last)]
        subject = _tagging_loss(self.subject_scores(h), torch.stack(tags, 2), present)
        if self.settings.heads_per_step == "one":
            targets = targets.draw_one(len(batch))
        objects = h.new_zeros(())
        if len(targets.heads):
            first, last, _ = targets.heads.unbind(1)
            which, start, end, relation = targets.tails.unbind(1)
            shape = (len(first), words, len(self.schema.relations))
            tags = [dense_tags(which, w, relation, shape) for w in (start, end)]
            scores = self._score_objects(h, targets.head_rows, first, last)
            objects = _tagging_loss(scores, torch.stack(tags, 2), present[targets.head_rows])
        parts = {
            "subject": subject.detach() / len(batch),
            "object": objects.detach() / len(batch),
        }
        return Loss((subject + objects) / len(batch), parts)

    def predict(self, batch: Batch) -> list[list[Prediction]]:
        """Tags subjects, then the objects of each, and pairs starts with nearest ends."""
        with stage("forward"):
            h = self.encoder(batch)
            subject_scores = self.subject_scores(h).float().sigmoid()
        with stage("decode"):
            present = batch["words"].mask()[:, :, None]
            starts, ends = subject_scores[:, :, :1], subject_scores[:, :, 1:]
            bound = self.settings.threshold
            subjects = decode_spans((starts > bound) & present, (ends > bound) & present)
            subject_score = subjects.confidence(starts, ends)

        def tag_objects(
            some: Spans,
        ) -> tuple[Bool[Tensor, "some N 2 R"], Float[Tensor, "some N 2 R"]]:
            with stage("forward"):
                scores = self._score_objects(h, some.rows, some.first, some.last)
                probability = scores.float().sigmoid()
            with stage("decode"):
                return (probability > bound) & present[some.rows][:, :, None], probability

        size = h.shape[1] * self.object_scores.out_features
        names = self.schema.relations
        return find_triples(len(batch), subjects, subject_score, tag_objects, size, names)

    def ceiling(self, batch: Batch) -> list[list[Prediction]]:
        """The targets, decoded."""
        return decode_targets(batch, 1, self.schema.relations, "nearest")


def _make_encoder(
    settings: CasRelSettings, resources: Resources
) -> Transformer | BiLSTM | ConvolutionalEncoder:
    if settings.encoder == "lstm":
        return BiLSTM(resources.vectors, settings.lstm_width)
    if settings.encoder == "convolution":
        fastre = FastRESettings()
        return ConvolutionalEncoder(
            resources.vectors,
            fastre.width,
            resources.max_words,
            dilations=fastre.dilations,
            kernel=fastre.kernel,
            gate=fastre.gate,
            residual=fastre.residual,
            dropout=fastre.dropout,
            input_dropout=fastre.input_dropout,
        )
    if resources.pretrained is None:
        raise SuiteError(
            "CasRel needs a pretrained encoder",
            remedy="Name one with --pretrained, or set its encoder to lstm or convolution.",
        )
    return Transformer(resources.pretrained)


def _tagging_loss(
    scores: Float[Tensor, "rows N *classes"],
    tags: Bool[Tensor, "rows N *classes"],
    present: Bool[Tensor, "rows N"],
) -> Float[Tensor, ""]:
    """Binary cross entropy summed over the present words and the classes."""
    return binary_cross_entropy_with_logits(
        scores[present].float(), tags[present].float(), reduction="sum"
    )
