"""PMEI: progressive multitask learning with explicit interactions (Sun et al., AAAI 2021).

Letters in shapes: B sentences, N words, M words of a batch (those of its sentences one after
another), D hidden size, Y numbers of a word's early predictions, R relations, G gold triples of a
batch. Equations and tables are the paper's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from baselines.pmei.pair_classifier import PairClassifier
from suite.modelling.batch import Batch, Text
from suite.modelling.bioes import TAGS, decode_tags, tag_spans
from suite.modelling.encoders import BiLSTM, Transformer, WordEmbedding
from suite.modelling.layers import Dropout
from suite.modelling.ragged import Ragged
from suite.modelling.triples import predicted_triples
from suite.modelling.word_tables import Layout
from suite.modelling.word_vectors import WordVectors
from suite.systems.capabilities import Choices, Searches
from suite.systems.contract import PLAIN_ADAM, Loss, PublishedSettings, Resources
from suite.systems.encoders import OnEncoder
from suite.tasks.examples import Example, Sentence
from suite.tasks.items import Prediction
from suite.tasks.schema import Schema

Cell = Literal["gru", "mlp"]
VARIANCE_FLOOR = 1e-3
"""Added to the square of what stands for a standard deviation."""


@dataclass(frozen=True)
class PMEISettings:
    """PMEI's settings; the defaults are the paper's for word vectors, where it names one.

    MTL of the paper is `early` False and `stochastic` False; MTL_SM is `early` False alone.

    Attributes:
        encoder: `bilstm` over word vectors, or `pretrained`.
        lstm_width: hidden size of the BiLSTM, both directions together.
        pair_width: hidden size of the classifiers of pairs.
        dropout: on word vectors.
        word_dropout: share of words that training replaces by the unknown one (public code).
        train_vectors: whether word vectors are trained, as public code does; the paper says that
            they "initialize" the embeddings.
        freeze_encoder: whether a pretrained encoder stays as it is (Table 5).
        alpha: weight of the early predictions' loss.
        beta: weight of the information that flows past the early predictions, of both tasks.
        early: whether there are early predictions (Table 6: without them, MTL and MTL_SM).
        interaction: whether each task sees both early predictions, or its own alone (Table 6).
        stochastic: whether the tasks' representations are drawn, or given by their mean (Table 6,
            "w/o SM").
        cell: what makes them: `gru` cells, or an `mlp` (Table 6, "w/o GRU").
        threshold: probability above which a pair of words is a triple.
    """

    encoder: Literal["bilstm", "pretrained"] = "bilstm"
    lstm_width: int = 200
    pair_width: int = 200
    dropout: float = 0.3
    word_dropout: float = 0.04
    train_vectors: bool = True
    freeze_encoder: bool = False
    alpha: float = math.exp(-2)
    beta: float = math.exp(-7)
    early: bool = True
    interaction: bool = True
    stochastic: bool = True
    cell: Cell = "gru"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold {self.threshold} lies outside (0, 1)")
        if self.lstm_width % 2:
            raise ValueError(f"lstm_width {self.lstm_width} is odd: both directions share it")
        if self.freeze_encoder and self.encoder != "pretrained":
            raise ValueError("freeze_encoder is for the encoder pretrained")


class GRUCell(nn.Module):
    """Equation 7: gates what early predictions change of a shared representation.

    It is not torch's cell: the reset gate stands before the product with the state, and the old
    state is kept by 1 - z.

    Args:
        width: D.
        inputs: Y.
    """

    def __init__(self, width: int, inputs: int) -> None:
        super().__init__()
        self.gates = nn.Linear(width + inputs, 2 * width)
        self.candidate = nn.Linear(width + inputs, width)

    def forward(self, h: Float[Tensor, "M D"], early: Float[Tensor, "M Y"]) -> Float[Tensor, "M D"]:
        """The new state of each word."""
        z, u = self.gates(torch.cat([h, early], 1)).sigmoid().chunk(2, 1)
        new = self.candidate(torch.cat([u * h, early], 1)).tanh()
        return h + z * (new - h)


class Perceptron(nn.Module):
    """A layer with ReLU and a linear one, over all that it is given.

    Args:
        inputs, width: numbers of a word before and after.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, width)
        self.out = nn.Linear(width, width)

    def forward(self, *parts: Float[Tensor, "M _"]) -> Float[Tensor, "M D"]:
        """The words' new vectors."""
        return self.out(self.hidden(torch.cat(parts, 1)).relu())


class StochasticMap(nn.Module):
    """From shared representation and early predictions to a task's own (equations 5 to 7).

    Posterior p(t | h, y') and prior r(t | y') are diagonal Gaussians. Without early predictions the
    prior is a standard one, as in the variational information bottleneck that the paper follows.

    Args:
        width: D.
        inputs: Y.
        cell: of the posterior.
        stochastic: without it, T is the posterior's mean and no information is measured.
    """

    def __init__(self, width: int, inputs: int, cell: Cell, *, stochastic: bool) -> None:
        super().__init__()

        def posterior() -> nn.Module:
            return GRUCell(width, inputs) if cell == "gru" else Perceptron(width + inputs, width)

        has_prior = stochastic and inputs > 0
        self.mean = posterior()
        self.deviation = posterior() if stochastic else None
        self.prior_mean = Perceptron(inputs, width) if has_prior else None
        self.prior_deviation = Perceptron(inputs, width) if has_prior else None
        if self.prior_deviation is not None:
            nn.init.ones_(self.prior_deviation.out.bias)

    def forward(
        self, h: Float[Tensor, "M D"], early: Float[Tensor, "M Y"]
    ) -> tuple[Float[Tensor, "M D"], Float[Tensor, ""]]:
        """T, drawn in training and the mean otherwise; the bound on I(H; T | Y'), summed."""
        mean = self.mean(h, early).float()
        if self.deviation is None:
            return mean, mean.new_zeros(())
        variance = self.deviation(h, early).float().square() + VARIANCE_FLOOR
        prior_mean, prior_variance = mean.new_zeros(()), mean.new_ones(())
        if self.prior_mean is not None and self.prior_deviation is not None:
            prior_mean = self.prior_mean(early).float()
            prior_variance = self.prior_deviation(early).float().square() + VARIANCE_FLOOR
        information = divergence(mean, variance, prior_mean, prior_variance).sum()
        if self.training:
            mean = torch.addcmul(mean, variance.sqrt(), torch.randn_like(mean))
        return mean, information


def divergence(
    mean: Float[Tensor, "M D"],
    variance: Float[Tensor, "M D"],
    prior_mean: Float[Tensor, "*M_D"],
    prior_variance: Float[Tensor, "*M_D"],
) -> Float[Tensor, "M D"]:
    """KL divergence of Gaussians from their priors, each number by itself."""
    ratio = (variance + (mean - prior_mean).square()) / prior_variance
    return (ratio - 1 + (prior_variance / variance).log()) / 2


class Classifiers(nn.Module):
    """C_e and C_r: scores of the tags of words and of the relations of pairs (equations 8 to 11).

    Args:
        width: D.
        pair_width: of the hidden layer of C_r.
        relations: R.
    """

    def __init__(self, width: int, pair_width: int, relations: int) -> None:
        super().__init__()
        self.tags = nn.Linear(width, len(TAGS))
        self.pairs = PairClassifier(width, pair_width, relations)


class NoisyWords(WordEmbedding):
    """Word vectors of which training drops whole words, frozen or not, and single numbers.

    Args:
        vectors: the vocabulary and its vectors.
        word_dropout, dropout: the rates.
    """

    def __init__(self, vectors: WordVectors, word_dropout: float, dropout: float) -> None:
        super().__init__(vectors)
        self.unknown_rate = word_dropout
        self.dropout = Dropout(dropout)

    def forward(self, text: Text) -> Float[Tensor, "B N E"]:
        """The words' vectors, zero at padding."""
        return self.dropout(super().forward(text))


@dataclass(frozen=True)
class WordPairBatch(Batch):
    """Sentences with what both tasks have to find.

    Attributes:
        tags: class of each word in `suite.modelling.bioes.TAGS`.
        pairs: first word of the head, first word of the tail and relation of each triple.
    """

    tags: Ragged
    pairs: Ragged


class FoundPairs(NamedTuple):
    """What was tagged and which pairs of words are triples.

    Attributes:
        layout: of the batch's words.
        tags: class of each word.
        pairs: word of the head, word of the tail and relation of each triple.
        scores: its probability.
    """

    layout: Layout
    tags: Int[Tensor, " M"]
    pairs: Int[Tensor, "found 3"]
    scores: Float[Tensor, " found"]


class PMEI(OnEncoder[WordPairBatch, FoundPairs], Searches):
    """The system; early predictions and final ones have classifiers of one form."""

    name = "pmei"
    title = "PMEI"
    citation = (
        "Kai Sun, Richong Zhang, Samuel Mensah, Yongyi Mao, Xudong Liu: Progressive Multi-task "
        "Learning with Controlled Information Flow for Joint Entity and Relation Extraction. "
        "AAAI 2021."
    )
    tasks = frozenset({"triples"})
    over_vectors = ("bilstm",)
    departures = (
        "The BiLSTM reads word vectors alone; public code adds embeddings of parts of speech, of "
        "which the paper says nothing.",
        "Triples are marked between the first words of head and tail. A word of a predicted triple "
        "that begins no tagged span stands for itself: the paper does not say what becomes of such "
        "a triple under exact match. Of spans that overlap, the longer is tagged.",
        "f^k takes the largest probability over the tails, so that a word sees the relations that "
        "it heads; the paper does not say over which of the two words.",
        "Losses are summed over words, pairs, relations and the numbers of a vector and averaged "
        "over sentences, so that one learning rate serves all systems here; the paper sums over "
        "sentences too.",
        "A variance is the square of its network's output plus 0.001, and the prior's starts near "
        "1; with public code's 1e-8 and a start near 0, a few numbers that a prior is too sure of "
        "make up nearly all of the first gradients.",
        "Classifiers of pairs start at a triple among a thousand pairs, not at even odds, from "
        "which the first hundreds of steps would lead.",
        "Dropout and the width of the pairs' hidden layer are this project's choice: the paper "
        "gives a range or nothing.",
        "At inference the representations are their means; public code draws them there too.",
        "The prior's gradient reaches the early predictions, as equations 5 to 7 have it; public "
        "code cuts it off.",
        "A word is never paired with itself; public code keeps such pairs in the loss.",
        "Public code chooses the epoch on test; here dev does.",
    )
    Settings = PMEISettings
    published = PublishedSettings(
        protocol={
            **PLAIN_ADAM,
            "learning_rate": 1e-3,
            "pretrained_learning_rate": 1e-5,
            "max_gradient_norm": 5.0,
            "batch_size": 50,
            "epochs": 100,
            "patience": 100,
        },
    )

    def __init__(self, settings: PMEISettings, schema: Schema, resources: Resources) -> None:
        super().__init__()
        self.settings = settings
        self.schema = schema
        self.encoder = self._made_encoder(resources)
        width, relations = self.encoder.width, len(schema.relations)

        sizes = (width, settings.pair_width, relations)
        self.final = Classifiers(*sizes)
        self.early = Classifiers(*sizes) if settings.early else None
        seen = (len(TAGS), relations) if settings.early else (0, 0)
        if settings.interaction:
            seen = (sum(seen), sum(seen))
        maps: list[StochasticMap | None] = [None, None]
        if settings.early or settings.stochastic:
            maps = [
                StochasticMap(width, inputs, settings.cell, stochastic=settings.stochastic)
                for inputs in seen
            ]
        self.entity_map, self.pair_map = maps

    def _made_encoder(self, resources: Resources) -> Transformer | BiLSTM:
        s = self.settings
        given = replace(resources, vectors=resources.vectors.also_trained(s.train_vectors))
        encoder = self.make_encoder(s.encoder, given, s.lstm_width)
        if isinstance(encoder, BiLSTM):
            encoder.words = NoisyWords(given.vectors, s.word_dropout, s.dropout)
            return encoder
        return encoder.requires_grad_(not s.freeze_encoder)

    @classmethod
    def vary(cls, settings: PMEISettings, choices: Choices) -> dict[str, Any]:
        """The losses' weights over the paper's ranges and beyond, the maps, and the widths."""
        found: dict[str, Any] = {
            "alpha": choices.suggest_float("alpha", math.exp(-5), 1.0, log=True),
            "beta": choices.suggest_float("beta", math.exp(-10), math.exp(-4), log=True),
            "cell": choices.suggest_categorical("cell", ("gru", "mlp")),
            "interaction": choices.suggest_categorical("interaction", (True, False)),
            "stochastic": choices.suggest_categorical("stochastic", (True, False)),
            "pair_width": choices.suggest_categorical("pair_width", (100, 200, 300)),
        }
        if settings.encoder == "bilstm":
            found["lstm_width"] = choices.suggest_categorical("lstm_width", (100, 200, 300))
            found["dropout"] = choices.suggest_float("dropout", 0.0, 0.5, step=0.1)
        return found

    def encode(self, examples: Sequence[Example]) -> WordPairBatch:
        """Word ids or subwords, a tag per word, and the pairs of first words that are triples."""
        sentences = cast(Sequence[Sentence], examples)
        text = self.encoder.encode(s.words for s in sentences)
        spans = [[entity.span for entity in s.entities] for s in sentences]
        pairs = [list(dict.fromkeys(self._pairs(s))) for s in sentences]
        tags = tag_spans([len(s.words) for s in sentences], spans)
        return WordPairBatch(text, tags, Ragged.from_rows(pairs, 3))

    def _pairs(self, sentence: Sentence) -> Iterator[tuple[int, int, int]]:
        for head, relation, tail in sentence.triples:
            if relation in self.schema.relation_ids and head.start != tail.start:
                yield head.start, tail.start, self.schema.relation_ids[relation]

    def _views(
        self, tags: Float[Tensor, "M 5"], pooled: Float[Tensor, "M R"]
    ) -> tuple[Float[Tensor, "M _"], Float[Tensor, "M _"]]:
        """The early predictions y' that the map of entities and that of pairs see."""
        own = tags.float().softmax(1)
        both = torch.cat([own, pooled], 1)
        return (both, both) if self.settings.interaction else (own, pooled)

    def loss(self, batch: WordPairBatch) -> Loss:
        """Equation 15, summed over words, pairs and relations, averaged over sentences."""
        layout, s = Layout.of(batch), self.settings
        h = layout.pack(self.encoder(batch.text))
        blocks = self.final.pairs.blocks(layout.lengths.tolist(), h.device)
        gold_tags, gold = _gold(batch, layout)

        def supervise(
            tags: Float[Tensor, "M 5"], pairs: PairClassifier, x: Float[Tensor, "M D"]
        ) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Float[Tensor, "M R"]]:
            entity = cross_entropy(tags.float(), gold_tags, reduction="sum")
            relation, pooled = pairs.loss(x, blocks, gold)
            return entity, relation, pooled

        parts: dict[str, Tensor] = {}
        for_entities = for_pairs = h.new_empty((len(h), 0))
        if self.early is not None:
            tags = self.early.tags(h)
            entity, relation, pooled = supervise(tags, self.early.pairs, h)
            parts["early"] = s.alpha * (entity + relation)
            for_entities, for_pairs = self._views(tags, pooled)
        t_e = t_r = h
        if self.entity_map is not None and self.pair_map is not None:
            t_e, flow_e = self.entity_map(h, for_entities)
            t_r, flow_r = self.pair_map(h, for_pairs)
            if s.stochastic:
                parts["information"] = s.beta * (flow_e + flow_r)
        tags = self.final.tags(t_e)
        parts["entity"], parts["relation"], _ = supervise(tags, self.final.pairs, t_r)
        parts = {name: part / len(batch) for name, part in parts.items()}
        total = torch.stack(list(parts.values())).sum()
        return Loss(total, {name: part.detach() for name, part in parts.items()})

    def forward(self, batch: WordPairBatch) -> FoundPairs:
        """Scores all pairs and tags all words."""
        layout = Layout.of(batch)
        h = layout.pack(self.encoder(batch.text))
        blocks = self.final.pairs.blocks(layout.lengths.tolist(), h.device)
        for_entities = for_pairs = h.new_empty((len(h), 0))
        if self.early is not None:
            pooled = self.early.pairs.pool(h, blocks)
            for_entities, for_pairs = self._views(self.early.tags(h), pooled)
        t_e = t_r = h
        if self.entity_map is not None and self.pair_map is not None:
            t_e = self.entity_map.mean(h, for_entities)
            t_r = self.pair_map.mean(h, for_pairs)
        tags = self.final.tags(t_e).argmax(1)
        pairs, scores = self.final.pairs.find(t_r, blocks, self.settings.threshold)
        return FoundPairs(layout, tags, pairs, scores)

    def ceiling(self, batch: WordPairBatch) -> list[list[Prediction]]:
        """The targets, decoded."""
        layout = Layout.of(batch)
        tags, pairs = _gold(batch, layout)
        return self.decode(batch, FoundPairs(layout, tags, pairs, torch.ones(len(pairs))))

    def decode(self, batch: WordPairBatch, scored: FoundPairs) -> list[list[Prediction]]:
        """Names a triple's words by the spans they begin; one that begins none is one by itself."""
        layout, tags, pairs, scores = scored
        ends = Ragged(tags, torch.cat([layout.starts, layout.lengths.new_tensor([len(tags)])]))
        spans = decode_tags(ends.padded(), ends.mask())
        shift = layout.starts[spans.rows]
        last = torch.arange(len(tags), device=tags.device)
        last[shift + spans.first] = shift + spans.last
        head, tail, relation = pairs.unbind(1)
        places = layout.owners[head]
        shift = layout.starts[places]
        words = [w - shift for w in (head, last[head], tail, last[tail])]
        table = torch.stack([layout.order[places], relation, *words], 1)
        return predicted_triples(len(batch), table, scores, self.schema.relations)


def _gold(batch: WordPairBatch, layout: Layout) -> tuple[Int[Tensor, " M"], Int[Tensor, "G 3"]]:
    """The tags of the layout's words; head and tail (of the M) and relation of each triple."""
    pairs = batch.pairs.select(layout.order)
    shift = layout.starts[pairs.owners]
    words = pairs.values[:, :2] + shift[:, None]
    return batch.tags.select(layout.order).values, torch.cat([words, pairs.values[:, 2:]], 1)
