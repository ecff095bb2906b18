"""BERT DocRED: pairs of entities, classified by a bilinear layer over a pretrained encoder.

The paper is a report on DocRED's public baseline code with a pretrained encoder in place of its
LSTM ("public code" below).

Letters in shapes: B examples, S subwords, E width of the encoder, D width of an entity's vector,
T entities of a batch, M their mentions, P ordered pairs of entities, K distance buckets,
R relations, C classes (R and NA, which is class 0), X features of one side of a pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from baselines.bert_docred.entity_pairs import (
    BilinearClassifier,
    EntityVectors,
    PackedEntities,
    Pairs,
    all_pairs,
    draw_pairs,
    pack_entities,
)
from baselines.bert_docred.theta import ThetaFit
from baselines.bert_docred.windows import Long, LongText, LongTransformer, range_means
from suite.modelling.batch import Batch
from suite.modelling.bioes import TAGS, decode_tags, tag_spans
from suite.modelling.fact_scores import FactScores, facts_from
from suite.modelling.layers import Dropout
from suite.modelling.ragged import Ragged
from suite.modelling.room import held_at_once
from suite.systems.capabilities import Choices, ScoresFacts, Searches
from suite.systems.contract import Loss, PublishedSettings, Resources
from suite.systems.encoders import OnEncoder
from suite.tasks.examples import Example, Fact, Span, Triple
from suite.tasks.items import Prediction
from suite.tasks.reference import Reference
from suite.tasks.registry import find_task
from suite.tasks.schema import Schema


@dataclass(frozen=True)
class BertDocREDSettings:
    """The settings; the defaults are the paper's and its public code's.

    Attributes:
        width: D, to which the encoder's vectors are projected.
        distance_width: of the embedding of a relative distance.
        negatives: pairs without a relation for each pair with one, drawn anew in each step; an
            example without any pair with one gets as many as if it had one.
        max_pairs: of an example in a step.
        long: texts over the encoder's limit are read by overlapping `windows` or `cut`.
        stride: of the windows, in subwords.
        class_loss: over the classes of a pair the loss is a `sum`, or a `mean` as in public code,
            under which the published clip of the gradient is a hundredth as tight.
        dropout: on the entities' vectors; the encoder has its own.
        entity_weight: of the entity head's loss (triples).
    """

    width: int = 128
    distance_width: int = 20
    negatives: int = 3
    max_pairs: int = 1800
    long: Long = "windows"
    stride: int = 256
    class_loss: Literal["sum", "mean"] = "sum"
    dropout: float = 0.0
    entity_weight: float = 1.0

    def __post_init__(self) -> None:
        for name in ("width", "distance_width", "negatives", "max_pairs", "stride"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is less than 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout {self.dropout} lies outside [0, 1)")
        if self.entity_weight <= 0:
            raise ValueError(f"entity_weight {self.entity_weight} is not above 0")


@dataclass(frozen=True)
class PairBatch(Batch):
    """Texts with their annotated entities.

    Attributes:
        gold: entities, mentions and facts.
        tags: BIOES tag of each word; None where entities are not tagged.
    """

    text: LongText
    gold: PackedEntities
    tags: Ragged | None


class FoundTriples(NamedTuple):
    """The triples of some sentences; where a head or a tail lies: its first word and end."""

    rows: Int[Tensor, " found"]
    heads: Int[Tensor, "found 2"]
    relations: Int[Tensor, " found"]
    tails: Int[Tensor, "found 2"]
    scores: Float[Tensor, " found"]


class Scored(NamedTuple):
    """What was found in a batch.

    Attributes:
        facts: of each document, the probabilities of all its facts; empty on sentences.
        triples: of sentences, some sentences at a time; empty on documents.
    """

    facts: list[FactScores]
    triples: list[FoundTriples]


class BertDocRED(OnEncoder[PairBatch, Scored], Searches, ScoresFacts):
    """The system: on documents with their entities, on sentences with a tagger that finds them.

    An entity whose mentions all lie beyond a cut (setting `long`) is in no pair: none of its facts
    is ever predicted.
    """

    name = "bert_docred"
    title = "BERT DocRED"
    citation = (
        "Yuan Yao, Deming Ye, Peng Li, Xu Han, Yankai Lin, Zhenghao Liu, Zhiyuan Liu, Lixin Huang, "
        "Jie Zhou, Maosong Sun: DocRED: A Large-Scale Document-Level Relation Extraction Dataset. "
        "ACL 2019. Its baseline with a pretrained encoder, as studied in: Pre-trained NLP Models "
        "Implementation on Relation Extraction."
    )
    tasks = frozenset({"docre", "triples"})
    departures = (
        "Texts over the encoder's limit are read by overlapping windows; the paper cuts them after "
        "512 subwords (setting long).",
        "Distances count words between the entities' earliest mentions; public code counts "
        "subwords between those that the file lists first.",
        "At most 1,800 pairs of an example train in a step, as in public code, so that a loss does "
        "not depend on the batch; the paper says of a batch.",
        "An example without any fact trains three pairs as NA; public code skips it.",
        "The loss is summed over classes (setting class_loss) and averaged over an example's "
        "pairs, then over examples; public code averages over classes and all pairs of a batch.",
        "A pair's best class counts as right in the training accuracies where it is any of the "
        "gold ones; public code draws one.",
        "On sentences, where entities are not given, a BIOES tagger over words finds them, trained "
        "jointly with a loss summed over words; training pairs gold entities alone, and theta is "
        "fitted on dev to a thousandth.",
    )
    Settings = BertDocREDSettings
    published = PublishedSettings(
        settings={"long": "cut", "class_loss": "mean"},
        protocol={
            "learning_rate": 4e-5,
            "pretrained_learning_rate": 4e-5,
            "weight_decay": 0.0,
            "warmup": 0.1,
            "document_batch_size": 8,
            "epochs": 200,
            "patience": 200,
            "max_gradient_norm": 0.1,
        },
    )
    encoder: LongTransformer
    theta: Float[Tensor, ""]

    def __init__(self, settings: BertDocREDSettings, schema: Schema, resources: Resources) -> None:
        super().__init__()
        self.settings, self.schema = settings, schema
        self.on_documents = find_task(schema.task).entities_given
        model = self.named_transformer(resources)
        self.encoder = LongTransformer(model, settings.long, settings.stride)
        self.project = nn.Linear(self.encoder.width, settings.width)
        self.dropout = Dropout(settings.dropout)
        classes = len(schema.relations) + 1
        self.classifier = BilinearClassifier(settings.width, settings.distance_width, classes)
        tags = not (self.entities_given or self.on_documents)
        self.tagger = nn.Linear(self.encoder.width, len(TAGS)) if tags else None
        self.register_buffer("theta", torch.tensor(0.5))

    @classmethod
    def vary(cls, settings: BertDocREDSettings, choices: Choices) -> dict[str, Any]:
        """Widths, dropout, and how many pairs without a relation a step sees."""
        return {
            "width": choices.suggest_categorical("width", (64, 128, 256, 384)),
            "distance_width": choices.suggest_categorical("distance_width", (10, 20, 40)),
            "negatives": choices.suggest_int("negatives", 1, 8),
            "dropout": choices.suggest_float("dropout", 0.0, 0.4, step=0.1),
        }

    def encode(self, examples: Sequence[Example]) -> PairBatch:
        """Subwords and windows, entities, mentions and facts, and tags where entities are found."""
        text = self.encoder.encode(e.words for e in examples)
        classes = {relation: i + 1 for relation, i in self.schema.relation_ids.items()}
        gold = pack_entities(examples, text.read.values.tolist(), classes)
        if self.tagger is None:
            return PairBatch(text, gold, None)
        spans = [[span for spans in e.clusters() for span in spans] for e in examples]
        return PairBatch(text, gold, tag_spans([len(e.words) for e in examples], spans))

    def _describe(
        self,
        batch: PairBatch,
        x: Float[Tensor, "S E"],
        rows: Int[Tensor, " T"],
        entities: Int[Tensor, "T 3"],
        mentions: Int[Tensor, "M 3"],
    ) -> EntityVectors:
        """Entities with their vectors.

        Args:
            batch: of whose texts.
            x: the encoder's output.
            rows: example of each entity.
            entities: number, first word and end, as in the column `entities`.
            mentions: entity (index into the others), first word and end.
        """
        owners, words = mentions[:, 0], batch.text.words
        ends = words.values.cumsum(0)
        offsets = words.offsets[rows[owners]]
        first, last = offsets + mentions[:, 1], offsets + mentions[:, 2] - 1
        means = range_means(x, (ends - words.values)[first], ends[last])
        sums = x.new_zeros(len(rows), x.shape[1]).index_add(0, owners, means)
        counts = torch.bincount(owners, minlength=len(rows))
        vectors = self.dropout(self.project(sums / counts[:, None]))
        return EntityVectors(rows, entities[:, 0], entities[:, 1:], vectors)

    def _given(self, batch: PairBatch, x: Float[Tensor, "S E"]) -> EntityVectors:
        """The entities that the batch holds."""
        entities, mentions = batch.gold.entities, batch.gold.mentions.values.clone()
        mentions[:, 0] += entities.offsets[batch.gold.mentions.owners]
        return self._describe(batch, x, entities.owners, entities.values, mentions)

    def _tag(self, batch: PairBatch, x: Float[Tensor, "S E"]) -> Float[Tensor, "words tags"]:
        """Scores of the BIOES tags of all words, sentence after sentence."""
        assert self.tagger is not None
        subwords = batch.text.words.values
        ends = subwords.cumsum(0)
        scores: Tensor = self.tagger(range_means(x, ends - subwords, ends))
        return scores.float()

    def _find(self, batch: PairBatch, x: Float[Tensor, "S E"]) -> EntityVectors:
        """The entities that the tags give, or that are given."""
        if self.tagger is None:
            return self._given(batch, x)
        best = Ragged(self._tag(batch, x).argmax(1), batch.text.words.offsets)
        spans = decode_tags(best.padded(), best.mask())
        number = torch.arange(len(spans.rows), device=x.device)
        found = torch.stack([number, spans.first, spans.last + 1], 1)
        return self._describe(batch, x, spans.rows, found, found)

    def loss(self, batch: PairBatch) -> Loss:
        """Binary cross entropy of the pairs' classes, and of the words' tags where they are found.

        The former is summed over classes and averaged over an example's pairs, drawn in training
        and all of them out of it; the latter is summed over words.
        """
        x = self.encoder(batch.text)
        entities = self._given(batch, x)
        pairs = all_pairs(entities.rows)
        gold = pairs.targets(batch.gold, len(self.schema.relations) + 1)
        rows = entities.rows[pairs.heads]
        if self.training:
            setting = self.settings
            drawn = draw_pairs(rows, ~gold[:, 0], setting.negatives, setting.max_pairs)
            pairs, gold, rows = pairs.select(drawn), gold[drawn], rows[drawn]
        scores = self.classifier(entities, pairs).float()
        loss = binary_cross_entropy_with_logits(scores, gold.float(), reduction="none")
        loss = loss.sum(1) if self.settings.class_loss == "sum" else loss.mean(1)
        parts = {"relation": (loss / torch.bincount(rows)[rows]).sum()}
        if batch.tags is not None:
            tags = cross_entropy(self._tag(batch, x), batch.tags.values, reduction="sum")
            parts["entity"] = self.settings.entity_weight * tags
        parts = {name: part / len(batch) for name, part in parts.items()}
        total = torch.stack(list(parts.values())).sum()
        detached = {name: part.detach() for name, part in parts.items()}
        return Loss(total, detached, training_accuracies(scores.detach(), gold))

    def _score(
        self, entities: EntityVectors
    ) -> Iterator[tuple[EntityVectors, Pairs, Float[Tensor, "P R"]]]:
        """All pairs of entities with the probability of each relation, some examples at a time."""
        weight = self.classifier.weight
        for part in entities.parts(held_at_once(weight[0].numel())):
            pairs = all_pairs(part.rows)
            scores = self.classifier(part, pairs)[:, 1:].float()
            yield part, pairs, scores.sigmoid()

    def fact_scores(self, batch: PairBatch) -> list[Float[Tensor, "entities entities R"]]:
        """Each relation's own sigmoid; zero on the diagonal and beyond a cut."""
        entities = self._given(batch, self.encoder(batch.text))
        sizes = batch.gold.sizes.values
        ends = (sizes**2).cumsum(0)
        cells = torch.zeros(int(ends[-1]), len(self.schema.relations), device=sizes.device)
        for part, pairs, probability in self._score(entities):
            rows, index = part.rows[pairs.heads], part.index
            place = index[pairs.heads] * sizes[rows] + index[pairs.tails]
            cells[(ends - sizes**2)[rows] + place] = probability
        tables = cells.split((sizes**2).tolist())
        return [t.unflatten(0, (n, n)) for t, n in zip(tables, sizes.tolist(), strict=True)]

    def decide_at(self, theta: float) -> None:
        """Sets the probability from which upwards a fact or a triple is predicted."""
        self.theta.fill_(theta)

    def forward(self, batch: PairBatch) -> Scored:
        """Scores all facts of documents; finds entities in sentences, and their triples."""
        if self.on_documents:
            return Scored(self.fact_scores(batch), [])
        entities = self._find(batch, self.encoder(batch.text))
        return Scored([], [self._above_theta(*scored) for scored in self._score(entities)])

    def _above_theta(
        self, entities: EntityVectors, pairs: Pairs, probability: Float[Tensor, "P R"]
    ) -> FoundTriples:
        which, relation = (probability >= self.theta).nonzero(as_tuple=True)
        heads, tails = pairs.heads[which], pairs.tails[which]
        return FoundTriples(
            rows=entities.rows[heads],
            heads=entities.spans[heads],
            relations=relation,
            tails=entities.spans[tails],
            scores=probability[which, relation],
        )

    def decode(self, batch: PairBatch, scored: Scored) -> list[list[Prediction]]:
        """Facts or triples of a probability of theta or more."""
        names = self.schema.relations
        if self.on_documents:
            return facts_from(scored.facts, self.theta.item(), names)
        rows: list[list[Prediction]] = [[] for _ in range(len(batch))]
        for found in scored.triples:
            columns = (column.tolist() for column in found)
            for row, head, relation, tail, score in zip(*columns, strict=True):
                triple = Triple(Span(*head), names[relation], Span(*tail))
                rows[row].append(Prediction(triple, score))
        return rows

    def calibrate(self, batches: Sequence[PairBatch], reference: Reference) -> None:
        """Fits theta to dev's triples, to a thousandth: the highest of those of best F1."""
        fit = ThetaFit(reference, self.schema.relation_ids)
        first = 0
        for batch in batches:
            entities = self._find(batch, self.encoder(batch.text))
            for scored in self._score(entities):
                fit.add(first, *scored)
            first += len(batch)
        self.decide_at(fit.theta())

    def ceiling(self, batch: PairBatch) -> list[list[Prediction]]:
        """The gold facts of known relations between entities that are read, and found by tags."""
        names, facts = self.schema.relations, batch.gold.facts
        first = batch.gold.entities.offsets[facts.owners]
        head, tail, kind = facts.values.unbind(1)
        heads, tails = (batch.gold.entities.values[first + side].tolist() for side in (head, tail))
        there = self._tagged(batch)
        rows: list[list[Prediction]] = [[] for _ in range(len(batch))]
        for row, (i, *h), (j, *t), c in zip(
            facts.owners.tolist(), heads, tails, kind.tolist(), strict=True
        ):
            if self.on_documents:
                rows[row].append(Prediction(Fact(i, names[c - 1], j), 1.0))
            elif there is None or {(row, *h), (row, *t)} <= there:
                triple = Triple(Span(*h), names[c - 1], Span(*t))
                rows[row].append(Prediction(triple, 1.0))
        return rows

    def _tagged(self, batch: PairBatch) -> set[tuple[int, ...]] | None:
        """Sentence, first word and end of what the gold tags give; None where nothing is tagged."""
        if batch.tags is None:
            return None
        spans = decode_tags(batch.tags.padded(), batch.tags.mask())
        return set(map(tuple, torch.stack([spans.rows, spans.first, spans.last + 1], 1).tolist()))


class BertDocREDGold(BertDocRED):
    """The same without a tagger, on sentences that come with their gold entities."""

    name = "bert_docred_gold"
    title = "BERT DocRED, gold entities"
    tasks = frozenset({"triples"})
    departures = (
        *BertDocRED.departures[:-1],
        "On sentences, it is given the gold entities; theta is fitted on dev to a thousandth.",
    )
    upper_bound = "is given the gold entities"
    entities_given = True


def training_accuracies(
    scores: Float[Tensor, "P C"], gold: Bool[Tensor, "P C"]
) -> dict[str, Tensor]:
    """Shares of pairs whose best class is gold: of those that are NA, of the others, of all.

    1 where there is no such pair.
    """
    right = gold.gather(1, scores.argmax(1, keepdim=True)).squeeze(1)
    related = ~gold[:, 0]
    kinds = {"na_accuracy": ~related, "non_na_accuracy": related, "accuracy": related | ~related}
    return {
        name: 1 - (kind & ~right).sum() / kind.sum().clamp(min=1) for name, kind in kinds.items()
    }
