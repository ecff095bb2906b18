"""FastRE: a convolutional encoder with an improved cascade tagger (Li et al., IJCAI 2022).

Letters in shapes: B sentences, N words, D hidden size, T head entities, K entity types,
R relations. Equations, sections and tables are the paper's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from suite.fastre.settings import FastRESettings, encoder_of
from suite.fastre.space import FASTRE_TABLE_4, receptive_field, vary_fastre
from suite.fastre.tagging import ScoreTails, Tagging
from suite.fastre.thresholds import adaptive_threshold_loss
from suite.modelling.cascade import (
    MAX_TAIL_WORDS,
    CascadeBatch,
    TaggedTriples,
    Targets,
    batch_targets,
    decode_targets,
    decode_triples,
    dense_tags,
    encode_targets,
)
from suite.modelling.gradients import Explanation, gradient_norms
from suite.modelling.layers import Convolution, SelfAttention, word_mask, words_at
from suite.modelling.start import he_normal, xavier_uniform
from suite.systems.capabilities import (
    Axis,
    Choices,
    Explains,
    Exports,
    Graph,
    RunGraph,
    Searches,
)
from suite.systems.contract import Loss, PublishedSettings, Resources, System, predict
from suite.tasks.examples import Example, Sentence, Span, Triple
from suite.tasks.items import Prediction
from suite.tasks.reference import Reference
from suite.tasks.schema import Schema


class FastRE(System[CascadeBatch, TaggedTriples], Searches, Explains, Exports):
    """The system.

    Its feed-forward layers are a width-3 convolution with ReLU and a linear layer: so public code
    does it, and only so the published parameter counts come out (1,096 K / 1,092 K / 1,095 K).
    """

    name = "fastre"
    title = "FastRE"
    citation = (
        "Guozheng Li, Xu Chen, Peng Wang, Jiafeng Xie, Qiqing Luo: FastRE: Towards Fast Relation "
        "Extraction with Convolutional Encoder and Improved Cascade Binary Tagging Framework. "
        "IJCAI 2022."
    )
    tasks = frozenset({"triples"})
    departures = (
        "Both feed-forward layers are a width-3 convolution with ReLU followed by a linear layer: "
        "equations 9, 10, 13 and 14 show the linear layer alone, but the published parameter "
        "counts hold only with public code's form.",
        "Attention scores are scaled by the square root of one head's width (16), as multi-head "
        "attention does; the equation's d_k = d is written for one head.",
        "Relative positions are distances |i - start| and |i - end| with a table each (public "
        "code); the paper does not define them.",
        "Dropout of 0.25 before the first block, as in public code; the paper names only the "
        "dropout between blocks.",
        "Every head entity of a sentence trains the tail tagger in each step (equation 15); "
        "public code draws one (setting heads_per_step).",
        "No entity swapping on NYT11, which public code does to half of the sentences.",
        "Convolutions and tables start as public code's do (He-normal, Xavier-uniform); without "
        "residual connections with twice the variance, without gates with a twelfth of it: public "
        "code has neither, and with one start for all a signal dies or grows thirtyfold over six "
        "blocks.",
        "Linear layers start as torch's do; public code's start Xavier-uniform without biases "
        "(setting linear_start), from which eight epochs on WebNLG reach 6 points of F1 less.",
        "The loss is summed over words and averaged over sentences; public code averages over "
        "words, and scores dev only once an epoch's loss is under 1.",
        "Public code's decay of the learning rate counts from the first step, not from the end of "
        "the warm-up: its rate is up to 2 % lower.",
    )
    Settings = FastRESettings
    published = PublishedSettings(
        settings={
            "gate": "highway",
            "dropout": 0.0,
            "gate_dropout": 0.1,
            "relations_of_types": False,
            "heads_per_step": "one",
            "span_rule": "until next start",
            "tail_rule": "public code",
            "linear_start": "xavier",
        },
        protocol={"patience": 60, "max_gradient_norm": None},
        on={
            "nyt10": {"warmup_steps": 3000, "decay_steps": 150_000},
            "nyt11": {"warmup_steps": 2000, "decay_steps": 120_000},
            "nyt24": {"warmup_steps": 2000, "decay_steps": 120_000},
        },
    )

    relations_of_type: Bool[Tensor, "K R"]
    threshold: Float[Tensor, ""]

    def __init__(self, settings: FastRESettings, schema: Schema, resources: Resources) -> None:
        super().__init__()
        self.settings = settings
        self.learning_rate_factor = settings.learning_rate_factor
        self.schema = schema if settings.mapping else schema.untyped()
        types, relations, width = (
            len(self.schema.entity_types),
            len(self.schema.relations),
            settings.width,
        )
        self.encoder = encoder_of(settings, resources)
        # With adaptive thresholds every tagger has one class more: the threshold class AT.
        extra = int(settings.thresholds == "adaptive")
        self.head_attention = SelfAttention(width, settings.attention_heads)
        self.tail_attention = SelfAttention(width, settings.attention_heads)
        self.head_hidden = Convolution(2 * width, width, 3)
        self.head_scores = nn.Linear(width, 2 * (types + extra))
        # A convolution of a concatenation is the sum of the parts' convolutions: the sentence's
        # part is computed once and shared by all of its heads.
        shared = settings.tagger_convolutions == "shared"
        self.tail_hidden_sentence = None if shared else Convolution(2 * width, width, 3)
        self.tail_hidden_head = Convolution(2 * width + settings.type_width, width, 3, bias=False)
        self.tail_scores = nn.Linear(width, 2 * (relations + extra))
        self.type_embedding = nn.Embedding(types, settings.type_width)
        self.start_distance = nn.Embedding(resources.max_words, width)
        self.end_distance = nn.Embedding(resources.max_words, width)
        self._start()
        self.register_buffer("threshold", torch.tensor(0.5))
        bounded = settings.mapping and settings.relations_of_types
        allowed = torch.full((types, relations), fill_value=not bounded)
        for relation, kinds in self.schema.head_types.items():
            for kind in kinds:
                if relation in self.schema.relation_ids:
                    row = self.schema.type_ids[kind]
                    allowed[row, self.schema.relation_ids[relation]] = True
        self.register_buffer("relations_of_type", allowed, persistent=False)

    def _start(self) -> None:
        """As public code starts, whose framework is Paddle."""
        he_normal(self.head_hidden)
        # Both are parts of one convolution over [H; H_t; w^h].
        inputs = self.head_hidden.in_channels + self.tail_hidden_head.in_channels
        for part in (self.tail_hidden_sentence, self.tail_hidden_head):
            if part is not None:
                he_normal(part, inputs)
        if self.settings.linear_start == "xavier":
            for attention in (self.head_attention, self.tail_attention):
                xavier_uniform(attention.project, parts=3)
            for scores in (self.head_scores, self.tail_scores):
                xavier_uniform(scores, parts=2)
        for table in (self.type_embedding, self.start_distance, self.end_distance):
            xavier_uniform(table)

    @classmethod
    def vary(cls, settings: FastRESettings, choices: Choices) -> dict[str, Any]:
        """Blocks, their dilation rates, and all that makes them wide, gated and regular.

        Besides, whether taggers share a convolution, and how quickly all of it learns.
        """
        return vary_fastre(choices)

    @classmethod
    def tried_first(cls) -> Mapping[str, Mapping[str, Any]]:
        """The structures of Table 4."""
        return FASTRE_TABLE_4

    @classmethod
    def structure(cls, settings: FastRESettings) -> dict[str, str]:
        """Its blocks as Table 4 has them, and what else was varied."""
        rates, kernels, widths = settings.dilations, settings.block_kernels, settings.block_widths
        return {
            "L": str(len(rates)),
            "Dilation rates": ", ".join(map(str, rates)),
            "Kernel": _by_block(kernels),
            "Receptive field (words)": str(receptive_field(rates, kernels)),
            "Width": _by_block(widths),
            "Gate": settings.gate,
            "Attention heads": str(settings.attention_heads),
            "Dropout": f"{settings.dropout:g}",
            "Heads per step": settings.heads_per_step,
            "Tagger convolutions": settings.tagger_convolutions,
            "Learning rate factor": f"{settings.learning_rate_factor:g}",
        }

    def word_vectors(self) -> Tensor:
        """The encoder's table."""
        return self.encoder.word_vectors()

    def encode(self, examples: Sequence[Example]) -> CascadeBatch:
        """Word ids, heads with their types, tails with their relations."""
        sentences = cast(Sequence[Sentence], examples)
        text = self.encoder.encode(s.words for s in sentences)
        return CascadeBatch(text, encode_targets(sentences, self.schema))

    def _sentence_part(
        self, h: Float[Tensor, "B N D"], mask: Bool[Tensor, "B N"] | None
    ) -> Float[Tensor, "B N D"]:
        """The sentence's part of the tail tagger's hidden layer."""
        layer = self.tail_hidden_sentence or self.head_hidden
        return self._convolve(h, self.tail_attention(h, mask), mask, layer)

    def _read(
        self, batch: CascadeBatch
    ) -> tuple[Float[Tensor, "B N D"], Float[Tensor, "B N D"], Bool[Tensor, "B N"] | None]:
        """H, the sentence's part of the tail tagger's hidden layer, and the mask of words."""
        h: Tensor = self.encoder(batch.text)
        mask = word_mask(batch.lengths, h.shape[1])
        return h, self._sentence_part(h, mask), mask

    @staticmethod
    def _convolve(
        h: Float[Tensor, "B N D"],
        auxiliary: Float[Tensor, "B N D"],
        mask: Bool[Tensor, "B N"] | None,
        layer: Convolution,
    ) -> Float[Tensor, "B N D"]:
        """A tagger's hidden layer over [H; H_h] or [H; H_t], which must not see padding attend."""
        if mask is not None:
            auxiliary = auxiliary * mask[:, :, None]
        hidden: Tensor = layer(torch.cat([h, auxiliary], 2).transpose(1, 2))
        return hidden.transpose(1, 2)

    def _score_heads(
        self, h: Float[Tensor, "B N D"], mask: Bool[Tensor, "B N"] | None
    ) -> Float[Tensor, "B N 2 classes"]:
        """Equations 9 and 10: scores of start and end, of each type and of AT (last)."""
        hidden = self._convolve(h, self.head_attention(h, mask), mask, self.head_hidden).relu()
        scores: Tensor = self.head_scores(hidden)
        return scores.unflatten(2, (2, -1))

    def _score_tails(
        self,
        h: Float[Tensor, "B N D"],
        sentence_part: Float[Tensor, "B N D"],
        rows: Int[Tensor, " T"],
        heads: Int[Tensor, "T 3"],
        mask: Bool[Tensor, "T N"] | None,
    ) -> Float[Tensor, "T N 2 classes"]:
        """Equations 13 and 14: scores of start and end, of each relation and of AT (last)."""
        words = h.shape[1]
        first, last, kind = heads.unbind(1)
        positions = torch.arange(words, device=h.device)
        starts, ends = (words_at(h, rows, word)[:, None] for word in (first, last))
        parts = [
            starts + self.start_distance((positions - first[:, None]).abs()),
            ends + self.end_distance((positions - last[:, None]).abs()),
            self.type_embedding(kind)[:, None].expand(-1, words, -1),
        ]
        feature = torch.cat(parts, 2)
        if mask is not None:
            feature = feature * mask[:, :, None]
        head_part = self.tail_hidden_head(feature.transpose(1, 2)).transpose(1, 2)
        hidden = (sentence_part.index_select(0, rows) + head_part).relu()
        scores: Tensor = self.tail_scores(hidden)
        return scores.unflatten(2, (2, -1))

    def loss(self, batch: CascadeBatch) -> Loss:
        """Equation 15: head and tail tagging losses, summed over words, averaged over sentences."""
        h, sentence_part, mask = self._read(batch)
        lengths, words = batch.lengths, h.shape[1]
        targets = batch_targets(batch)
        first, last, kind = targets.heads.unbind(1)
        rows = targets.head_rows
        shape = (len(batch), words, len(self.schema.entity_types))
        head = self._tagging_loss(
            self._score_heads(h, mask),
            torch.stack([dense_tags(rows, w, kind, shape) for w in (first, last)], 2),
            mask,
        )
        if self.training and self.settings.heads_per_step == "one":
            targets = targets.draw_one(len(batch))
        tail = self._tail_loss(h, sentence_part, targets, lengths)
        total = (head + tail) / len(batch)
        parts = {"head": head.detach() / len(batch), "tail": tail.detach() / len(batch)}
        return Loss(total, parts)

    def _tail_loss(
        self,
        h: Float[Tensor, "B N D"],
        sentence_part: Float[Tensor, "B N D"],
        targets: Targets,
        lengths: Int[Tensor, " B"],
    ) -> Float[Tensor, ""]:
        if not len(targets.heads):
            return h.new_zeros(())
        which, first, last, relation = targets.tails.unbind(1)
        shape = (len(targets.heads), h.shape[1], len(self.schema.relations))
        tags = torch.stack([dense_tags(which, w, relation, shape) for w in (first, last)], 2)
        mask = word_mask(lengths[targets.head_rows], h.shape[1])
        scores = self._score_tails(h, sentence_part, targets.head_rows, targets.heads, mask)
        return self._tagging_loss(scores, tags, mask, self.relations_of_type[targets.heads[:, 2]])

    def _tagging_loss(
        self,
        scores: Float[Tensor, "rows N 2 classes"],
        tags: Bool[Tensor, "rows N 2 tagged"],
        mask: Bool[Tensor, "rows N"] | None,
        scored: Bool[Tensor, "rows tagged"] | None = None,
    ) -> Float[Tensor, ""]:
        """Sum over the words of the loss of start and end tags (equations 11 and 12)."""
        keep = None if scored is None else scored[:, None, None, :].expand(tags.shape)
        scores = scores.float()
        if mask is not None:
            scores, tags = scores[mask], tags[mask]
            keep = None if keep is None else keep[mask]
        scores, tags = scores.reshape(-1, scores.shape[-1]), tags.reshape(-1, tags.shape[-1])
        keep = None if keep is None else keep.reshape(tags.shape)
        if self.settings.thresholds == "adaptive":
            return adaptive_threshold_loss(scores, tags, keep).sum()
        loss = nn.functional.binary_cross_entropy_with_logits(
            scores, tags.float(), reduction="none"
        )
        return (loss if keep is None else loss * keep).sum()

    def forward(self, batch: CascadeBatch) -> TaggedTriples:
        """Tags heads, then the tails of each, and pairs starts with ends."""
        h, sentence_part, mask = self._read(batch)

        def score_tails(
            rows: Int[Tensor, " T"], heads: Int[Tensor, "T 3"]
        ) -> Float[Tensor, "T N 2 classes"]:
            mask = word_mask(batch.lengths[rows], h.shape[1])
            return self._score_tails(h, sentence_part, rows, heads, mask)

        return self._triples(batch, self._score_heads(h, mask), score_tails)

    def _triples(
        self,
        batch: CascadeBatch,
        head_scores: Float[Tensor, "B N 2 classes"],
        score_tails: ScoreTails,
    ) -> TaggedTriples:
        settings = self.settings
        tagging = Tagging(
            settings.thresholds,
            settings.span_rule,
            settings.tail_rule,
            self.threshold,
            self.relations_of_type,
        )
        width = self.tail_hidden_head.in_channels + self.tail_scores.out_features
        return tagging.triples(batch.lengths, head_scores, score_tails, width)

    def graphs(self) -> Mapping[str, Graph]:
        """Two: of sentences, whose heads are decoded from it, and of the tails of heads."""
        sentences, words = Axis("sentences"), Axis("words", self.encoder.positions.shape[0])
        heads = Axis("heads")
        rows = torch.tensor([0, 1, 1, 0])
        described = torch.tensor([[0, 1, 0]] * len(rows))
        lengths = torch.tensor([3, 1]).clamp(max=words.longest)
        vectors = self.word_vectors().new_zeros(2, int(lengths.max()), self.encoder.words.width)
        h, sentence_part, _ = self._sentence_graph(vectors, lengths)
        read = {"h": (sentences, words, None), "sentence_part": (sentences, words, None)}
        return {
            "sentences": Graph(
                self._sentence_graph,
                {"vectors": vectors, "lengths": lengths},
                {"vectors": (sentences, words, None), "lengths": (sentences,)},
                ("h", "sentence_part", "head_scores"),
            ),
            "tails": Graph(
                self._tail_graph,
                {
                    "h": h,
                    "sentence_part": sentence_part,
                    "lengths": lengths,
                    "rows": rows,
                    "heads": described,
                },
                {**read, "lengths": (sentences,), "rows": (heads,), "heads": (heads, None)},
                ("tail_scores",),
            ),
        }

    def _sentence_graph(
        self, vectors: Float[Tensor, "B N E"], lengths: Int[Tensor, " B"]
    ) -> tuple[Tensor, ...]:
        mask = torch.arange(vectors.shape[1], device=lengths.device) < lengths[:, None]
        h = self.encoder.convolve(vectors, mask)
        return h, self._sentence_part(h, mask), self._score_heads(h, mask)

    def _tail_graph(
        self,
        h: Float[Tensor, "B N D"],
        sentence_part: Float[Tensor, "B N D"],
        lengths: Int[Tensor, " B"],
        rows: Int[Tensor, " T"],
        heads: Int[Tensor, "T 3"],
    ) -> tuple[Tensor, ...]:
        mask = torch.arange(h.shape[1], device=h.device) < lengths.index_select(0, rows)[:, None]
        return (self._score_tails(h, sentence_part, rows, heads, mask),)

    def forward_by(self, run: RunGraph, batch: CascadeBatch) -> TaggedTriples:
        """As `forward`, but for the dropout of training."""
        vectors = self.encoder.words(batch.text)
        h, sentence_part, head_scores = run("sentences", (vectors, batch.lengths))

        def score_tails(
            rows: Int[Tensor, " T"], heads: Int[Tensor, "T 3"]
        ) -> Float[Tensor, "T N 2 classes"]:
            (scores,) = run("tails", (h, sentence_part, batch.lengths, rows, heads))
            return scores

        return self._triples(batch, head_scores, score_tails)

    def decode(self, batch: CascadeBatch, scored: TaggedTriples) -> list[list[Prediction]]:
        """The triples of each sentence."""
        return decode_triples(len(batch), scored, self.schema.relations)

    def calibrate(self, batches: Sequence[CascadeBatch], reference: Reference) -> None:
        """Fits the global threshold on dev, to a tenth, where adaptive thresholds are off."""
        if self.settings.thresholds == "adaptive":
            return
        best = (-1.0, 0.5)
        for tenth in range(1, 10):
            self.threshold.fill_(tenth / 10)
            rows = [row for batch in batches for row in predict(self, batch)]
            best = max(best, (reference.f1(rows), tenth / 10))
        self.threshold.fill_(best[1])

    def ceiling(self, batch: CascadeBatch) -> list[list[Prediction]]:
        """The targets, decoded."""
        types, relations = len(self.schema.entity_types), self.schema.relations
        rows = decode_targets(batch, types, relations, self.settings.span_rule)
        if self.settings.tail_rule == "nearest":
            return rows
        lengths = batch.lengths.tolist()
        return [
            [p for p in row if _ends_before(cast(Triple, p.item).tail, words)]
            for row, words in zip(rows, lengths, strict=True)
        ]

    def explain(self, batch: CascadeBatch) -> Explanation:
        """Gradient norms by the word vectors before the projection, and both taggers' attention."""
        norms = gradient_norms(self.encoder.words, lambda: len(batch) * self.loss(batch).total)
        with torch.no_grad():
            h = self.encoder(batch.text)
            mask = word_mask(batch.lengths, h.shape[1])
            attentions = {"head tagger": self.head_attention, "tail tagger": self.tail_attention}
            weights = {name: layer.weights(h, mask) for name, layer in attentions.items()}
        return Explanation(norms, weights)


def _by_block(numbers: Sequence[int]) -> str:
    """The one number of all blocks, or one for each."""
    return ", ".join(map(str, numbers if len(set(numbers)) > 1 else numbers[:1]))


def _ends_before(tail: Span, words: int) -> bool:
    """Whether public code can give a tail in a sentence of so many words."""
    return tail.end < words and tail.end - tail.start <= MAX_TAIL_WORDS
