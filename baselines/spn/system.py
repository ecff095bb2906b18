"""SPN: set prediction networks (Sui et al., arXiv 2011.01675).

Letters in shapes: B sentences, N words, m queries, D hidden size, R relations, K gold triples of a
batch that have a query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from baselines.spn.decoder import Place, QueryDecoder
from baselines.spn.heads import POINTERS, Answers, Heads, Said, read_answers
from baselines.spn.matching import Matched, Matcher, match_best, match_in_order
from suite.modelling.batch import Batch
from suite.modelling.encoders import Transformer
from suite.modelling.layers import Dropout
from suite.modelling.ragged import Ragged
from suite.modelling.triples import predicted_triples
from suite.systems.capabilities import Choices, Searches
from suite.systems.contract import Loss, PublishedSettings, Resources
from suite.systems.encoders import EncoderSettings, OnEncoder, vary_lstm
from suite.tasks.examples import Example, Sentence
from suite.tasks.items import Prediction
from suite.tasks.schema import Schema


@dataclass(frozen=True)
class SPNSettings(EncoderSettings):
    """SPN's settings; the defaults are those of public code for NYT.

    Attributes:
        freeze_embeddings: whether a pretrained encoder's embeddings stay as they are.
        queries: m; the most triples of a sentence that can be found. WebNLG: 10.
        layers: of the decoder (ablation: 1, 2, 3). WebNLG: 4.
        heads: attention heads at most; the most that divide the encoder's width are taken.
        feed_forward: hidden size of the feed-forward layers, as a multiple of the encoder's width.
        dropout: of the decoder.
        normalised: the decoder's layers `before` each part, or `after` it as in public code.
        matching: whether each gold triple trains the query that suits it best; without it
            (ablation) the first triple trains the first query, by position in the sentence.
        matcher: how well a query suits: by the `sum` of its five probabilities, or the `least`.
        none_weight: c, of queries without a triple in the loss of relations. Public code: 0.25
            for WebNLG and NYT (0.5 in another of its settings), 1 for NYT*.
        entity_weight: of the loss of words.
        longest_entity: words of the longest entity that is found.
    """

    freeze_embeddings: bool = True
    queries: int = 15
    layers: int = 3
    heads: int = 12
    feed_forward: float = 4.0
    dropout: float = 0.1
    normalised: Place = "before"
    matching: bool = True
    matcher: Matcher = "sum"
    none_weight: float = 0.25
    entity_weight: float = 2.0
    longest_entity: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("queries", "layers", "heads", "longest_entity"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is less than 1")
        for name in ("feed_forward", "none_weight", "entity_weight"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} {getattr(self, name)} is not above 0")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout {self.dropout} lies outside [0, 1)")


@dataclass(frozen=True)
class SPNBatch(Batch):
    """Sentences with their triples.

    Attributes:
        triples: relation, first and last word of subject and of object, by position.
    """

    triples: Ragged


class SPN(OnEncoder[SPNBatch, Said], Searches):
    """The system: an encoder, a decoder of queries, and what each query says."""

    name = "spn"
    title = "SPN"
    citation = (
        "Dianbo Sui, Yubo Chen, Kang Liu, Jun Zhao, Xiangrong Zeng, Shengping Liu: Joint Entity "
        "and Relation Extraction with Set Prediction Networks. arXiv 2011.01675, 2020."
    )
    tasks = frozenset({"triples"})
    over_vectors = ("lstm",)
    departures = (
        "Pointers stand on words, whose vectors are the means of their subwords; public code "
        "points at subwords, of which [CLS] and [SEP] may not bound an entity.",
        "Both losses are a sentence's own (that of relations over the weights of its queries, that "
        "of words over its triples), averaged over sentences; public code divides by the weights "
        "and the triples of the batch.",
        "The most probable first word is taken, and then the most probable last word among the 10 "
        "from it on; public code goes through pairs in this order and lets 100 positions pass.",
        "Entities are 10 words long at most, where public code counts subwords (setting "
        "longest_entity).",
        "A triple's score is the least of its five probabilities, the paper has none; of queries "
        "that say the same triple, the surest counts.",
        "A sentence with more triples than queries trains as many as there are queries; training "
        "tells the share of triples that have one (measure with_query), and the ceiling those that "
        "are lost.",
        "Without matching, triples are in the order of their words: subject, object, relation; "
        "which order the paper has is not known.",
        "Twelve attention heads, or as many fewer as divide the encoder's width.",
        "The decoder's layers are normalised before each part; in public code after it, as in "
        "BERT, with a learning rate of 2e-5 or 5e-5. With the 1e-3 that all systems share, such a "
        "decoder loses again what it has learnt (setting normalised; settings `published` have "
        "`after`).",
        "An LSTM's states are normalised (LayerNorm) before the decoder reads them; the paper has "
        "BERT alone, whose last layer does this.",
        "Queries and layers are those of public code for NYT (WebNLG: 10 and 4), the weight of "
        "none is that for WebNLG and whole names (NYT*: 1), on every dataset, with settings "
        "`published` too; there the learning rate decays linearly, "
        "where public code takes 1 % off every epoch (WebNLG: 2 %).",
        "Published figures are of the epoch that is best on test; here dev chooses.",
    )
    Settings = SPNSettings
    published = PublishedSettings(
        settings={"normalised": "after"},
        protocol={
            "optimiser": "adamw",
            "schedule": "linear",
            "learning_rate": 2e-5,
            "pretrained_learning_rate": 1e-5,
            "weight_decay": 1e-5,
            "warmup": 0.0,
            "max_gradient_norm": 1.0,
            "batch_size": 8,
            "epochs": 100,
            "patience": 100,
        },
        on={
            "nyt24": {"max_gradient_norm": 2.5},
            **{
                name: {
                    "learning_rate": 5e-5,
                    "pretrained_learning_rate": 2e-5,
                    "weight_decay": 1e-6,
                    "max_gradient_norm": 20.0,
                    "batch_size": 4,
                }
                for name in ("webnlg", "webnlg-star")
            },
        },
    )

    def __init__(self, settings: SPNSettings, schema: Schema, resources: Resources) -> None:
        super().__init__()
        self.settings = settings
        self.schema = schema
        s = settings
        self.encoder = self.make_encoder(s.encoder, resources, s.lstm_width)
        if s.freeze_embeddings and isinstance(self.encoder, Transformer):
            _freeze_embeddings(self.encoder)
        self.dropout = Dropout(s.encoder_dropout)
        width = self.encoder.width
        # Queries compare words by products: an LSTM's states, whose lengths differ from word to
        # word, are normalised as a transformer's last layer normalises its own.
        self.norm = nn.LayerNorm(width) if s.encoder == "lstm" else nn.Identity()
        hidden = max(1, round(s.feed_forward * width))
        self.decoder = QueryDecoder(
            width, s.queries, s.layers, s.heads, hidden, s.dropout, s.normalised
        )
        self.heads = Heads(width, len(schema.relations))

    @classmethod
    def vary(cls, settings: SPNSettings, choices: Choices) -> dict[str, Any]:
        """Queries, the decoder's size, the matching, and the losses' weights.

        Fewer queries than a training sentence has triples would lose some; ten are enough for all
        but some of NYT24's.
        """
        found: dict[str, Any] = {
            "queries": choices.suggest_categorical("queries", (10, 15, 20)),
            "layers": choices.suggest_int("layers", 1, 6),
            "heads": choices.suggest_categorical("heads", (4, 8, 12)),
            "feed_forward": choices.suggest_categorical("feed_forward", (1.0, 2.0, 4.0)),
            "none_weight": choices.suggest_float("none_weight", 0.1, 1.0, log=True),
            "entity_weight": choices.suggest_categorical("entity_weight", (1.0, 2.0, 4.0)),
            "dropout": choices.suggest_float("dropout", 0.0, 0.3, step=0.05),
            "normalised": choices.suggest_categorical("normalised", ("before", "after")),
            "matcher": choices.suggest_categorical("matcher", ("sum", "least")),
        }
        if settings.encoder == "lstm":
            found |= vary_lstm(choices, (96, 192, 288, 384))
        else:
            found["freeze_embeddings"] = choices.suggest_categorical(
                "freeze_embeddings", (True, False)
            )
        return found

    @classmethod
    def tried_first(cls) -> Mapping[str, Mapping[str, Any]]:
        """The defaults, and public code's settings for NYT, NYT* and WebNLG."""
        shared: dict[str, Any] = {"heads": 12, "feed_forward": 4.0, "entity_weight": 2.0}
        shared |= {"dropout": 0.1, "matcher": "sum", "freeze_embeddings": True}
        nyt: dict[str, Any] = {"queries": 15, "layers": 3, "none_weight": 0.25, **shared}
        after = {**shared, "normalised": "after"}
        return {
            "defaults": {**nyt, "normalised": "before"},
            "NYT": {**nyt, **after},
            "NYT*": {"queries": 15, "layers": 3, "none_weight": 1.0, **after},
            "WebNLG": {"queries": 10, "layers": 4, "none_weight": 0.25, **after},
        }

    def encode(self, examples: Sequence[Example]) -> SPNBatch:
        """Subwords or word ids, and the triples by position, so that their order means nothing."""
        sentences = cast(Sequence[Sentence], examples)
        text = self.encoder.encode(s.words for s in sentences)
        return SPNBatch(text, Ragged.from_rows([self._targets(s) for s in sentences], 5))

    def _targets(self, sentence: Sentence) -> list[tuple[int, ...]]:
        """The distinct triples; those of relations that the schema lacks are no target."""
        ids = self.schema.relation_ids
        known = {
            (t.head.start, t.head.end - 1, t.tail.start, t.tail.end - 1, ids[t.relation])
            for t in sentence.triples
            if t.relation in ids
        }
        return [(relation, *words) for *words, relation in sorted(known)]

    def _answer(self, batch: SPNBatch) -> Answers:
        present = batch.text.words.mask()
        h = self.dropout(self.norm(self.encoder(batch.text)))
        return self.heads(self.decoder(h, present), h, present)

    def loss(self, batch: SPNBatch) -> Loss:
        """Cross entropy of relations, and of the words of those queries that have a triple."""
        answers, triples = self._answer(batch), batch.triples
        if self.settings.matching:
            matched = match_best(answers, triples, self.settings.matcher)
        else:
            matched = match_in_order(triples, self.settings.queries)
        owners = triples.owners[matched.triples]
        relation = self._relation_loss(answers, triples, matched)
        subject, object_ = self._word_losses(answers, triples, matched)
        parts = {"relation": relation, "subject": subject, "object": object_}
        share = len(owners) / max(1, len(triples.values))
        return Loss(
            relation + subject + object_,
            {name: part.detach() for name, part in parts.items()},
            {"with_query": relation.new_tensor(share)},
        )

    def _relation_loss(
        self, answers: Answers, triples: Ragged, matched: Matched
    ) -> Float[Tensor, ""]:
        """Over the queries of a sentence, by their weights; then a mean over sentences."""
        none = len(self.schema.relations)
        owners = triples.owners[matched.triples]
        gold = torch.full(answers.relations.shape[:2], none, device=owners.device)
        gold[owners, matched.queries] = triples.values[matched.triples, 0]
        weights = torch.where(gold == none, self.settings.none_weight, 1.0)
        losses = -answers.relations.gather(2, gold[..., None]).squeeze(2)
        return ((losses * weights).sum(1) / weights.sum(1)).mean()

    def _word_losses(
        self, answers: Answers, triples: Ragged, matched: Matched
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """Of subjects and objects: over a sentence's triples, then a mean over sentences."""
        owners = triples.owners[matched.triples]
        sentences = len(answers.relations)
        counts = torch.bincount(owners, minlength=sentences)[owners]
        weights = self.settings.entity_weight / (2 * counts * sentences)
        words = triples.values[matched.triples, 1:]
        costs = []
        for pointer in range(POINTERS):
            pointed = answers.words[owners, pointer, matched.queries]
            found = pointed.gather(1, words[:, pointer, None]).squeeze(1)
            costs.append(-(found * weights).sum())
        return costs[0] + costs[1], costs[2] + costs[3]

    def forward(self, batch: SPNBatch) -> Said:
        """What each query says."""
        return read_answers(self._answer(batch), self.settings.longest_entity)

    def decode(self, batch: SPNBatch, scored: Said) -> list[list[Prediction]]:
        """The distinct triples that queries say, each with its best score."""
        names = self.schema.relations
        rows, queries = (scored.relations < len(names)).nonzero(as_tuple=True)
        relations, words = scored.relations[rows, queries], scored.words[rows, queries]
        scores = scored.scores[rows, queries].clamp_min(torch.finfo(torch.float32).tiny)
        table = torch.cat([torch.stack([rows, relations], 1), words], 1)
        return predicted_triples(len(batch), table, scores, names)

    def ceiling(self, batch: SPNBatch) -> list[list[Prediction]]:
        """The targets of as many triples as there are queries, decoded."""
        triples, queries = batch.triples, self.settings.queries
        matched = match_in_order(triples, queries)
        owners = triples.owners[matched.triples]
        relation, *words = triples.values[matched.triples].unbind(1)
        none, device = len(self.schema.relations), owners.device
        relations = torch.full((len(batch), queries, none + 1), -torch.inf, device=device)
        relations[..., none] = -1.0
        relations[owners, matched.queries, relation] = 0.0
        shape = (len(batch), POINTERS, queries, int(batch.lengths.max()))
        pointed = torch.full(shape, -torch.inf, device=device)
        for pointer, word in enumerate(words):
            pointed[owners, pointer, matched.queries, word] = 0.0
        return self.decode(
            batch, read_answers(Answers(relations, pointed), self.settings.longest_entity)
        )


def _freeze_embeddings(encoder: Transformer) -> None:
    """Stops the training of pretrained tables; fresh ones have to learn."""
    if encoder.pretrained:
        for module in encoder.model.modules():
            if isinstance(module, nn.Embedding):
                module.requires_grad_(requires_grad=False)
