"""PRGC: potential relations and global correspondence (Zheng et al., ACL 2021).

Letters in shapes: B sentences, N words, D hidden size, R relations, T tagged rows (a sentence under
a relation), G triples of a batch. Equations, sections and tables are the paper's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from baselines.prgc.decoding import MOST_TRIPLES, TaggedRows, join
from baselines.prgc.network import Correspondence, Fusion, Pooling, RelationJudge, Tagger
from baselines.prgc.tags import (
    CLASSES,
    FoundSpans,
    Tagging,
    certain_scores,
    find_spans,
    tag_losses,
    tag_words,
)
from suite.modelling.batch import Batch
from suite.modelling.cascade import Spans
from suite.modelling.layers import Dropout
from suite.modelling.ragged import Ragged
from suite.modelling.room import held_at_once
from suite.modelling.triples import predicted_triples
from suite.systems.capabilities import Choices, Searches
from suite.systems.contract import Loss, PublishedSettings, Resources
from suite.systems.encoders import EncoderSettings, OnEncoder, vary_lstm
from suite.tasks.examples import Example, Sentence, Triple
from suite.tasks.items import Prediction
from suite.tasks.schema import Schema


@dataclass(frozen=True)
class PRGCSettings(EncoderSettings):
    """PRGC's settings; the defaults are the paper's, and its public code's where it names none.

    Table 3's encoder of fresh weights is `random`.

    Attributes:
        pooling: from words to the sentence whose relations are judged.
        fusion: of a word and a relation's embedding: `concat` (public code) or `sum` (equation 2).
        hidden_share: hidden size of every classifier as a share of its input; 0: one linear layer,
            as equations 1 to 3 have it.
        dropout: on the classifiers' hidden layers.
        judge_relations: whether only potential relations are tagged; without it (Table 7) all are,
            and training tags relations that a sentence does not hold.
        negative_relations: how many of those, drawn in every step.
        tagging: `bio`, or classifiers of `ends`: first and last words (Table 7).
        pairing: by the global `correspondence`, or of `nearest` neighbours (Table 7).
        relation_threshold: lambda_1, the probability above which a relation is potential.
        link_threshold: lambda_2, the probability above which two first words belong together.
        relation_weight: of the loss of relations.
        tag_weight: of the loss of tags.
        link_weight: of the loss of the correspondence.
    """

    pooling: Pooling = "mean"
    fusion: Fusion = "concat"
    hidden_share: float = 0.5
    dropout: float = 0.3
    judge_relations: bool = True
    negative_relations: int = 4
    tagging: Tagging = "bio"
    pairing: Literal["correspondence", "nearest"] = "correspondence"
    relation_threshold: float = 0.1
    link_threshold: float = 0.5
    relation_weight: float = 1.0
    tag_weight: float = 1.0
    link_weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("relation_threshold", "link_threshold"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} lies outside (0, 1)")
        for name in ("relation_weight", "tag_weight", "link_weight"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} {getattr(self, name)} is not above 0")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout {self.dropout} lies outside [0, 1)")
        if not 0 <= self.hidden_share <= 4:
            raise ValueError(f"hidden_share {self.hidden_share} lies outside [0, 4]")
        if self.negative_relations < 0:
            raise ValueError(f"negative_relations {self.negative_relations} is less than 0")


@dataclass(frozen=True)
class PRGCBatch(Batch):
    """Sentences with what is to be found in them.

    Attributes:
        relations: those of each sentence's triples, ascending.
        tags: for each of these relations and each word, its tag as subject and as object.
        links: first words of subject and object of each triple, of whatever relation.
    """

    relations: Ragged
    tags: Ragged
    links: Ragged


class Rows(NamedTuple):
    """Rows to tag, of ascending sentences.

    Attributes:
        sentences: sentence of each.
        relations: its relation.
        tags: the gold tags of each word as subject and as object; zero at padding.
    """

    sentences: Int[Tensor, " T"]
    relations: Int[Tensor, " T"]
    tags: Int[Tensor, "T N 2"]


class PRGC(OnEncoder[PRGCBatch, TaggedRows], Searches):
    """The system: relations are judged, the potential ones tagged, and words linked."""

    name = "prgc"
    title = "PRGC"
    citation = (
        "Hengyi Zheng, Rui Wen, Xi Chen, Yifan Yang, Yunyan Zhang, Ziheng Zhang, Ningyu Zhang, Bin "
        "Qin, Ming Xu, Yefeng Zheng: PRGC: Potential Relation and Global Correspondence Based "
        "Joint Relational Triple Extraction. ACL 2021."
    )
    tasks = frozenset({"triples"})
    over_vectors = ("lstm",)
    departures = (
        "Tags stand on words, whose vectors are the means of their subwords; the paper tags "
        "subwords.",
        "Every classifier has a hidden layer, and relations' embeddings are concatenated with the "
        "words', as in public code; with equations 2 and 3 as printed, a relation shifts the "
        "scores of all words alike, and two triples of words of their own cannot be told from "
        "those with the objects swapped (settings hidden_share and fusion).",
        "A triple counts once however many relations its sentence has, and sentences without "
        "triples train the judgement and the correspondence too; public code trains on pairs of a "
        "sentence and a relation.",
        "Every loss is a sentence's own mean (over relations; over its relations' two rows of "
        "words; over its pairs of words), averaged over sentences; public code averages over the "
        "words and the pairs of a batch.",
        "The hidden numbers that dropout takes from pairs are the same for all pairs of a "
        "sentence; public code draws them for each pair.",
        "The judgement starts at one relation a sentence and the correspondence at a triple among "
        "a thousand pairs, not at even odds.",
        "Of a relation's subjects that overlap, the longer is tagged, and of its objects likewise; "
        "in public code the later one overwrites words of the other, and both may be lost.",
        "A triple's score is the least probability that it rests on: of the relation, of its tags, "
        "and of the correspondence; the paper has none.",
        f"Of a sentence's triples, the {MOST_TRIPLES:,} surest are predicted: an untrained system "
        "finds all words in all relations.",
        "Without the correspondence, each subject goes with its relation's nearest object and each "
        "object with the nearest subject, by first words; the paper names the principle alone, and "
        "public code pairs two lists in order. Start and end classifiers are binary, and a start "
        "goes with the nearest end; there is no code for them.",
        "With settings `published`, the learning rate decays linearly, where public code follows a "
        "cosine; the norm of all gradients is clipped together, where it clips each parameter's; "
        "and dev chooses the epoch, where the paper takes the last.",
    )
    Settings = PRGCSettings
    published = PublishedSettings(
        protocol={
            "optimiser": "adamw",
            "schedule": "linear",
            "learning_rate": 1e-3,
            "pretrained_learning_rate": 5e-5,
            "weight_decay": 0.01,
            "warmup": 0.1,
            "max_gradient_norm": 2.0,
            "batch_size": 64,
            "epochs": 100,
            "patience": 100,
            "max_words": 100,
        },
        on={"webnlg": {"batch_size": 6}, "webnlg-star": {"batch_size": 6}},
    )

    def __init__(self, settings: PRGCSettings, schema: Schema, resources: Resources) -> None:
        super().__init__()
        self.settings = settings
        self.schema = schema
        s = settings
        self.encoder = self.make_encoder(s.encoder, resources, s.lstm_width)
        self.dropout = Dropout(s.encoder_dropout)
        width, relations = self.encoder.width, len(schema.relations)

        def hidden(inputs: int) -> int:
            return round(s.hidden_share * inputs)

        self.judge = (
            RelationJudge(width, relations, hidden(width), s.dropout, s.pooling)
            if s.judge_relations
            else None
        )
        self.tagger = Tagger(
            width,
            relations,
            hidden(2 * width if s.fusion == "concat" else width),
            s.dropout,
            fusion=s.fusion,
            classes=CLASSES[s.tagging],
        )
        self.correspondence = (
            Correspondence(width, hidden(2 * width), s.dropout)
            if s.pairing == "correspondence"
            else None
        )

    @classmethod
    def vary(cls, settings: PRGCSettings, choices: Choices) -> dict[str, Any]:
        """The classifiers' form, the thresholds and the losses' weights."""
        found: dict[str, Any] = {
            "fusion": choices.suggest_categorical("fusion", ("concat", "sum")),
            "hidden_share": choices.suggest_categorical("hidden_share", (0.0, 0.25, 0.5, 1.0)),
            "dropout": choices.suggest_float("dropout", 0.0, 0.5, step=0.1),
            "pooling": choices.suggest_categorical("pooling", ("mean", "max", "first")),
            "relation_threshold": choices.suggest_float("relation_threshold", 0.05, 0.7, step=0.05),
            "link_threshold": choices.suggest_float("link_threshold", 0.3, 0.7, step=0.05),
        }
        for name in ("relation_weight", "tag_weight", "link_weight"):
            found[name] = choices.suggest_categorical(name, (0.5, 1.0, 2.0, 4.0))
        if settings.encoder == "lstm":
            found |= vary_lstm(choices)
        return found

    @classmethod
    def tried_first(cls) -> Mapping[str, Mapping[str, Any]]:
        """The classifiers of public code, and those of the paper's equations."""
        shared = {"dropout": 0.3, "pooling": "mean", "relation_threshold": 0.1} | {
            "link_threshold": 0.5,
            "relation_weight": 1.0,
            "tag_weight": 1.0,
            "link_weight": 1.0,
        }
        return {
            "public code": {"fusion": "concat", "hidden_share": 0.5, **shared},
            "equations": {"fusion": "sum", "hidden_share": 0.0, **shared},
        }

    def encode(self, examples: Sequence[Example]) -> PRGCBatch:
        """Subwords or word ids, relations, the tags of each, and first words that are linked."""
        sentences = cast(Sequence[Sentence], examples)
        text = self.encoder.encode(s.words for s in sentences)
        rows = [self._targets(s) for s in sentences]
        return PRGCBatch(
            text,
            relations=Ragged.from_rows([relations for relations, _, _ in rows]),
            tags=Ragged.from_rows([tags for _, tags, _ in rows], 2),
            links=Ragged.from_rows([links for _, _, links in rows], 2),
        )

    def _targets(
        self, sentence: Sentence
    ) -> tuple[list[int], list[tuple[int, int]], list[tuple[int, int]]]:
        """Relations, tags and links; relations that the schema lacks are no target."""
        ids, words = self.schema.relation_ids, len(sentence.words)
        of_relations: dict[int, list[Triple]] = {}
        for triple in sentence.triples:
            if triple.relation in ids:
                of_relations.setdefault(ids[triple.relation], []).append(triple)
        tags: list[tuple[int, int]] = []
        for relation in sorted(of_relations):
            found = of_relations[relation]
            subjects = tag_words(words, [t.head for t in found], self.settings.tagging)
            objects = tag_words(words, [t.tail for t in found], self.settings.tagging)
            tags += zip(subjects, objects, strict=True)
        links = {(t.head.start, t.tail.start) for found in of_relations.values() for t in found}
        return sorted(of_relations), tags, sorted(links)

    def loss(self, batch: PRGCBatch) -> Loss:
        """L_rel, L_seq and L_global, each a mean over sentences of the sentence's own mean."""
        s, present = self.settings, batch.text.words.mask()
        h = self.dropout(self.encoder(batch.text))
        parts = {}
        if self.judge is not None:
            gold = torch.zeros(len(h), len(self.schema.relations), device=h.device)
            gold[batch.relations.owners, batch.relations.values] = 1
            scores = self.judge(h, present)
            parts["relation"] = s.relation_weight * binary_cross_entropy_with_logits(scores, gold)
        parts["tags"] = s.tag_weight * self._tag_loss(h, present, self._rows_to_train(batch))
        if self.correspondence is not None:
            scores = self.correspondence(h)
            parts["links"] = s.link_weight * _link_loss(scores, batch.links, present)
        total = torch.stack(list(parts.values())).sum()
        return Loss(total, {name: part.detach() for name, part in parts.items()})

    def _tag_loss(
        self, h: Float[Tensor, "B N D"], present: Bool[Tensor, "B N"], rows: Rows
    ) -> Float[Tensor, ""]:
        """L_seq; that of a sentence whose no relation is tagged is zero."""
        if not len(rows.sentences):
            return h.new_zeros((), dtype=torch.float32)
        words, kinds = self.tagger.project(h)
        scores = self.tagger.score(words, kinds, rows.sentences, rows.relations)
        losses = sum(
            tag_losses(scores[:, :, role], rows.tags[:, :, role], self.settings.tagging)
            for role in (0, 1)
        )
        inside = present[rows.sentences]
        of_rows = (losses * inside).sum(1) / (2 * inside.sum(1))
        counts = torch.bincount(rows.sentences, minlength=len(h))
        return (of_rows / counts[rows.sentences]).sum() / len(h)

    def _rows_to_train(self, batch: PRGCBatch) -> Rows:
        """The relations of each sentence, with some that it does not hold where all are tagged."""
        gold = _gold_rows(batch)
        most = self.settings.negative_relations
        if self.judge is not None or not most:
            return gold
        relations = len(self.schema.relations)
        if self.training:
            order = torch.rand(len(batch), relations, device=gold.tags.device)
        else:
            # A loss that is only looked at is that of the first ones.
            order = torch.arange(relations, 0.0, -1, device=gold.tags.device)
            order = order.repeat(len(batch), 1)
        order[gold.sentences, gold.relations] = -1
        tops = order.topk(min(most, relations), dim=1)
        sentences, column = (tops.values >= 0).nonzero(as_tuple=True)
        drawn = tops.indices[sentences, column]
        order = torch.cat([gold.sentences, sentences]).argsort(stable=True)
        tags = torch.cat([gold.tags, gold.tags.new_zeros((len(drawn), *gold.tags.shape[1:]))])
        return Rows(
            torch.cat([gold.sentences, sentences])[order],
            torch.cat([gold.relations, drawn])[order],
            tags[order],
        )

    def forward(self, batch: PRGCBatch) -> TaggedRows:
        """Judges relations, tags those that are potential, and links words."""
        s, present = self.settings, batch.text.words.mask()
        h = self.dropout(self.encoder(batch.text))
        if self.judge is None:
            probability = h.new_ones((len(h), len(self.schema.relations)), dtype=torch.float32)
            potential = probability > 0
        else:
            scores = self.judge(h, present)
            probability = scores.sigmoid()
            # Where none is, the most probable one; of many as probable, one.
            best = torch.zeros_like(scores, dtype=torch.bool)
            best[torch.arange(len(best), device=best.device), scores.argmax(1)] = True
            potential = (probability > s.relation_threshold) | best
        rows, relations = potential.nonzero(as_tuple=True)
        subjects, objects = self._tag(h, present, rows, relations)
        links = None if self.correspondence is None else self.correspondence(h).sigmoid()
        scores = probability[rows, relations]
        return TaggedRows(rows, relations, scores, subjects, objects, links)

    def _tag(
        self,
        h: Float[Tensor, "B N D"],
        present: Bool[Tensor, "B N"],
        rows: Int[Tensor, " T"],
        relations: Int[Tensor, " T"],
    ) -> list[FoundSpans]:
        """Subjects and objects of the given rows, which are worked on some at a time."""
        words, kinds = self.tagger.project(h)
        at_once = held_at_once(words.shape[1] * words.shape[2])
        found: list[list[FoundSpans]] = [[], []]
        for some in torch.arange(len(rows), device=rows.device).split(at_once):
            scores = self.tagger.score(words, kinds, rows[some], relations[some])
            for role, parts in enumerate(found):
                seen = present[rows[some]]
                spans, least = find_spans(scores[:, :, role], seen, self.settings.tagging)
                shifted = Spans(some[spans.rows], spans.classes, spans.first, spans.last)
                parts.append(FoundSpans(shifted, least))
        return [_joined(parts) for parts in found]

    def decode(self, batch: PRGCBatch, scored: TaggedRows) -> list[list[Prediction]]:
        """The triples of each sentence."""
        pairs = join(scored, self.settings.link_threshold)
        subjects, objects = scored.subjects.spans, scored.objects.spans
        rows = subjects.rows[pairs.subjects]
        columns = [scored.rows[rows], scored.relations[rows]]
        for spans, which in ((subjects, pairs.subjects), (objects, pairs.objects)):
            columns += [spans.first[which], spans.last[which]]
        table = torch.stack(columns, 1)
        return predicted_triples(len(batch), table, pairs.scores, self.schema.relations)

    def ceiling(self, batch: PRGCBatch) -> list[list[Prediction]]:
        """The targets, decoded."""
        rows, present = _gold_rows(batch), batch.text.words.mask()
        certain = torch.ones(len(rows.sentences), device=present.device)
        tagging, inside = self.settings.tagging, present[rows.sentences]
        subjects, objects = (
            find_spans(certain_scores(rows.tags[:, :, role], tagging), inside, tagging)
            for role in (0, 1)
        )
        links = None
        if self.correspondence is not None:
            links = torch.zeros(*present.shape, present.shape[1], device=present.device)
            links[batch.links.owners, *batch.links.values.unbind(1)] = 1
        tagged = TaggedRows(rows.sentences, rows.relations, certain, subjects, objects, links)
        return self.decode(batch, tagged)


def _gold_rows(batch: PRGCBatch) -> Rows:
    """The relations of each sentence, with their tags."""
    sentences, words = batch.relations.owners, int(batch.lengths.max())
    lengths = batch.lengths[sentences]
    tags = batch.tags.values.new_zeros((len(sentences), words, 2))
    inside = torch.arange(words, device=tags.device) < lengths[:, None]
    tags[inside] = batch.tags.values
    return Rows(sentences, batch.relations.values, tags)


def _link_loss(
    scores: Float[Tensor, "B N N"], links: Ragged, present: Bool[Tensor, "B N"]
) -> Float[Tensor, ""]:
    """L_global: binary cross entropy, a mean over a sentence's pairs and then over sentences."""
    share = 1.0 / (present.sum(1).square() * len(scores))
    pairs = (present[:, :, None] & present[:, None]) * share[:, None, None]
    linked = scores[links.owners, *links.values.unbind(1)]
    return (softplus(scores) * pairs).sum() - (linked * share[links.owners]).sum()


def _joined(parts: Sequence[FoundSpans]) -> FoundSpans:
    """Spans of one block after another; there is at least one."""
    spans = [(p.spans.rows, p.spans.classes, p.spans.first, p.spans.last) for p in parts]
    columns = (torch.cat(column) for column in zip(*spans, strict=True))
    return FoundSpans(Spans(*columns), torch.cat([p.scores for p in parts]))
