"""RelU-Net: a U-Net over dependency trees below CasRel's tagger (Zhang et al., EMNLP 2022).

Letters in shapes: B sentences, N words, D hidden size, C nodes of the core graph, M entities of a
gold graph. Equations, sections and tables are the paper's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from baselines.casrel.tagger import CascadeTagger
from baselines.relu_net.graphs import (
    GraphConvolutions,
    GraphKind,
    MinCutPooling,
    Pooled,
    best_matching,
    mincut_loss,
    tree_adjacency,
    without_loops,
)
from suite.errors import SuiteError
from suite.modelling.cascade import (
    CascadeBatch,
    HeadsPerStep,
    TaggedTriples,
    decode_targets,
    encode_targets,
)
from suite.modelling.layers import Dropout
from suite.modelling.parsers import DependencyParser
from suite.modelling.ragged import Ragged
from suite.systems.capabilities import Choices, Searches
from suite.systems.contract import PLAIN_ADAM, Loss, PublishedSettings, Resources
from suite.systems.encoders import EncoderSettings, OnEncoder
from suite.tasks.examples import Example, Sentence, Span
from suite.tasks.items import Prediction
from suite.tasks.schema import Schema

CERTAIN = 1e-6
"""Distance from 0 and 1 within which a core edge's weight costs no more (equation 10)."""


@dataclass(frozen=True)
class RelUNetSettings(EncoderSettings):
    """RelU-Net's settings; the defaults are the paper's, where it names one.

    Table 2's encoder of fresh weights is `random`.

    Attributes:
        pooling: whether the tree is contracted; without it (Table 2, full tree) it is convolved
            as it is, and there is no core for the graph losses.
        clusters: nodes after each pooling; the last is the size of the core (Figure 3).
        graph: `sage`, or `gcn` (Table 4, "w/o GraphSAGE").
        graph_layers: of each stack of convolutions.
        neighbours: of a node that GraphSAGE draws in training.
        bipartite_weight: alpha, of L_bip; 0 leaves it out (Table 4).
        similarity_weight: beta, of L_sim; 0 leaves it out (Table 4).
        mincut_weight: of MinCut pooling's own losses (Bianchi et al., 2020), which the paper does
            not mention.
        end_projection: as CasRel's: whether v_sub sees a subject's end through a linear layer.
        threshold: probability above which a word is tagged.
        heads_per_step: the object taggers train on `all` gold subjects or on `one` drawn at random.
    """

    pooling: bool = True
    clusters: tuple[int, ...] = (16, 8)
    graph: GraphKind = "sage"
    graph_layers: int = 2
    neighbours: int = 10
    bipartite_weight: float = 1.0
    similarity_weight: float = 0.1
    mincut_weight: float = 0.0
    end_projection: bool = True
    threshold: float = 0.5
    heads_per_step: HeadsPerStep = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold {self.threshold} lies outside (0, 1)")
        if not self.clusters or min(self.clusters) < 1:
            raise ValueError(f"clusters {self.clusters} need at least one size of 1 or more")
        for name in ("graph_layers", "neighbours"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is less than 1")
        for name in ("bipartite_weight", "similarity_weight", "mincut_weight"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)} is less than 0")


class Level(NamedTuple):
    """A graph that a pooling contracted, and to what."""

    nodes: Float[Tensor, "B N D"]
    adjacency: Float[Tensor, "B N N"]
    pooled: Pooled


class TreeUNet(nn.Module):
    """Contracts a graph, convolves its core, and expands it again (section 3.1).

    Args:
        width: D.
        settings: of the system.
    """

    def __init__(self, width: int, settings: RelUNetSettings) -> None:
        super().__init__()

        def convolutions() -> GraphConvolutions:
            return GraphConvolutions(
                width, settings.graph_layers, settings.graph, settings.neighbours
            )

        clusters = settings.clusters if settings.pooling else ()
        self.poolings = nn.ModuleList(MinCutPooling(width, c, convolutions()) for c in clusters)
        self.convolutions = convolutions()

    def forward(
        self,
        nodes: Float[Tensor, "B N D"],
        adjacency: Float[Tensor, "B N N"],
        present: Bool[Tensor, "B N"],
    ) -> tuple[Float[Tensor, "B N D"], list[Level]]:
        """H, and the graphs on the way to the core, the largest first."""
        levels = []
        for pooling in self.poolings:
            pooled = pooling(nodes, adjacency, present)
            levels.append(Level(nodes, adjacency, pooled))
            nodes, adjacency = pooled.nodes, pooled.adjacency
            present = present.new_ones(adjacency.shape[:2])
        hidden = self.convolutions(nodes, adjacency)
        if not levels:
            return nodes + hidden, levels
        for level in reversed(levels):
            hidden = level.pooled.unpool(hidden) + level.nodes
        return hidden, levels


@dataclass(frozen=True)
class GraphBatch(CascadeBatch):
    """Sentences with their trees and the graphs of their gold triples.

    Attributes:
        governors: the head of each word in the tree.
        entities: first and last word of each entity of a gold triple, by first occurrence in the
            triples.
        edges: the two entities of each triple.
    """

    governors: Ragged
    entities: Ragged
    edges: Ragged


class GoldGraphs(NamedTuple):
    """The gold triples of a batch as graphs; a sentence's entities are numbered from 0.

    Attributes:
        nodes: mean of the word vectors of each entity, zero at padding.
        present: True at entities.
        rows, edges: sentence and ends of each edge.
    """

    nodes: Float[Tensor, "B M D"]
    present: Bool[Tensor, "B M"]
    rows: Int[Tensor, " edges"]
    edges: Int[Tensor, "edges 2"]

    @classmethod
    def of(cls, batch: GraphBatch, words: Float[Tensor, "B N D"], most: int) -> GoldGraphs:
        """The graphs of each sentence's first entities, `most` at most."""
        entities, edges = batch.entities, batch.edges
        spans = entities.padded(-1)[:, :most]
        first, last = spans[:, :, None, 0], spans[:, :, None, 1]
        positions = torch.arange(words.shape[1], device=words.device)
        inside = ((first <= positions) & (positions <= last)).float()
        means = inside / inside.sum(2, keepdim=True).clamp(min=1)
        kept = (edges.values < most).all(1)
        present = entities.mask()[:, :most]
        return cls(means @ words, present, edges.owners[kept], edges.values[kept])


class CoreMatching(nn.Module):
    """Matches the core's nodes with gold entities, and says how well they agree (section 3.3).

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bilinear = nn.Linear(width, width, bias=False)
        # So that scores begin small: a product of two vectors grows with their width.
        nn.init.normal_(self.bilinear.weight, std=1 / width)

    def forward(
        self, core: Pooled, gold: GoldGraphs
    ) -> tuple[Float[Tensor, " B"], Float[Tensor, " B"]]:
        """L_bip and L_sim of each sentence (equations 8 to 10)."""
        scores = (core.nodes @ self.bilinear(gold.nodes).mT).float()
        place = best_matching(scores, gold.present)
        similarity = _similarity_loss(core.adjacency.float(), gold, place)
        return _bipartite_loss(scores, gold.present, place), similarity


def _bipartite_loss(
    scores: Float[Tensor, "B C M"], present: Bool[Tensor, "B M"], place: Int[Tensor, "B M"]
) -> Float[Tensor, " B"]:
    """Equation 9 over scores: minus the matched pairs' log share of all pairs of a sentence."""
    if not present.shape[1]:
        return scores.new_zeros(len(scores))
    matched = scores.gather(1, place[:, None]).squeeze(1).masked_fill(~present, 0).sum(1)
    # Not infinity, whose gradient is not a number where a sentence has no entity.
    every = scores.masked_fill(~present[:, None], -1e9).flatten(1).logsumexp(1)
    return present.sum(1) * every - matched


def _similarity_loss(
    adjacency: Float[Tensor, "B C C"], gold: GoldGraphs, place: Int[Tensor, "B M"]
) -> Float[Tensor, " B"]:
    """Equation 10: cross entropy of the core's edges, summed over all pairs of two nodes."""
    linked = torch.zeros_like(adjacency)
    i, j = (place[gold.rows, gold.edges[:, end]] for end in (0, 1))
    linked[gold.rows, i, j] = 1
    linked[gold.rows, j, i] = 1
    share = adjacency.clamp(CERTAIN, 1 - CERTAIN)
    entropy = -(linked * share.log() + (1 - linked) * (-share).log1p())
    return without_loops(entropy).sum((1, 2))


class RelUNet(OnEncoder[GraphBatch, TaggedTriples], Searches):
    """The system: an encoder, the U-Net over the sentence's tree, and CasRel's tagger."""

    name = "relu_net"
    title = "RelU-Net"
    citation = (
        "Yunqi Zhang, Yubo Chen, Yongfeng Huang: RelU-Net: Syntax-aware Graph U-Net for "
        "Relational Triple Extraction. EMNLP 2022."
    )
    tasks = frozenset({"triples"})
    over_vectors = ("lstm",)
    departures = (
        "Tags stand on words, whose vectors are the means of their subwords, as the nodes of the "
        "tree do.",
        "v_sub sees a subject's end through a linear projection: on words, the plain mean cannot "
        "link two subjects of one word each (setting end_projection; see CasRel).",
        "Taggers start at the rarity of tags, as CasRel's do.",
        "The tree is that of the parser that the command names; a sentence that it splits is a "
        "forest.",
        "The pooling matrix is normalised over the nodes of each cluster, as the text says, and "
        "the unpooling one over the clusters of each node, so that what a word gets is a mean of "
        "clusters; of the latter the paper does not say.",
        "Neighbours' means are weighted by the edges, since pooled graphs have an edge between "
        "any two nodes; up to 10 neighbours are drawn in training (the paper does not say how "
        "many), and all are seen at inference.",
        "Both assignments are read from one stack of convolutions, by perceptrons with one hidden "
        "layer of the encoder's width, initialised as He et al. (2015) do; the paper gives none of "
        "it.",
        "Equation 6's expanded adjacency is not computed: nothing reads it.",
        "Equation 9 is minus the log-likelihood of the matching under a softmax of scores, that "
        "is of negative costs; over costs, as printed, it has no lower bound.",
        "Equations 7 and 10 are summed over words, relations and pairs of core nodes, and averaged "
        "over sentences.",
        "Of a sentence with more entities than core nodes, the gold graph holds the first ones.",
        "Without pooling the tree's convolutions are added to the word vectors, and there are no "
        "graph losses; the paper does not describe this variant.",
    )
    Settings = RelUNetSettings
    published = PublishedSettings(
        protocol={
            **PLAIN_ADAM,
            "learning_rate": 5e-5,
            "pretrained_learning_rate": 1e-5,
            "max_gradient_norm": None,
            "batch_size": 10,
            "epochs": 200,
            "patience": 200,
        },
    )

    def __init__(self, settings: RelUNetSettings, schema: Schema, resources: Resources) -> None:
        super().__init__()
        self.settings = settings
        self.schema = schema.untyped()
        self.parser = _parser(resources)
        self.encoder = self.make_encoder(settings.encoder, resources, settings.lstm_width)
        self.dropout = Dropout(settings.encoder_dropout)
        width = self.encoder.width
        self.graph = TreeUNet(width, settings)
        matched = settings.pooling and (settings.bipartite_weight or settings.similarity_weight)
        self.matching = CoreMatching(width) if matched else None
        self.tagger = CascadeTagger(
            width,
            schema.relations,
            end_projection=settings.end_projection,
            threshold=settings.threshold,
            heads_per_step=settings.heads_per_step,
        )

    @classmethod
    def vary(cls, settings: RelUNetSettings, choices: Choices) -> dict[str, Any]:
        """The graph that trees are contracted to, its convolutions, and the graph losses."""
        core = choices.suggest_categorical("core", (2, 4, 6, 8, 12, 16))
        poolings = choices.suggest_int("poolings", 1, 3)
        return {
            "clusters": tuple(core * 2**i for i in reversed(range(poolings))),
            "graph": choices.suggest_categorical("graph", ("sage", "gcn")),
            "graph_layers": choices.suggest_int("graph_layers", 1, 3),
            "bipartite_weight": choices.suggest_categorical(
                "bipartite_weight", (0.0, 0.1, 0.3, 1.0, 3.0)
            ),
            "similarity_weight": choices.suggest_categorical(
                "similarity_weight", (0.0, 0.03, 0.1, 0.3, 1.0)
            ),
        }

    @classmethod
    def resources_needed(cls, settings: RelUNetSettings) -> frozenset[str]:
        """The parser, and the transformer, or its architecture alone, or word vectors."""
        return super().resources_needed(settings) | {"parser"}

    def encode(self, examples: Sequence[Example]) -> GraphBatch:
        """Words, their heads in the tree, the tagger's targets and the gold graph."""
        sentences = cast(Sequence[Sentence], examples)
        text = self.encoder.encode(s.words for s in sentences)
        governors = Ragged.from_rows(self.parser.heads([s.words for s in sentences]))
        graphs = [self._gold_graph(s) for s in sentences]
        return GraphBatch(
            text,
            encode_targets(sentences, self.schema),
            governors=governors,
            entities=Ragged.from_rows([entities for entities, _ in graphs], 2),
            edges=Ragged.from_rows([edges for _, edges in graphs], 2),
        )

    def _gold_graph(
        self, sentence: Sentence
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        index: dict[Span, int] = {}
        edges = [
            (index.setdefault(t.head, len(index)), index.setdefault(t.tail, len(index)))
            for t in sentence.triples
            if t.relation in self.schema.relation_ids
        ]
        return [(span.start, span.end - 1) for span in index], edges

    def _read(
        self, batch: GraphBatch
    ) -> tuple[Float[Tensor, "B N D"], Float[Tensor, "B N D"], list[Level]]:
        """The encoder's vectors E, the U-Net's H, and the graphs on the way to the core."""
        vectors = self.dropout(self.encoder(batch.text))
        present = batch.text.words.mask()
        return vectors, *self.graph(vectors, tree_adjacency(batch.governors), present)

    def loss(self, batch: GraphBatch) -> Loss:
        """L_cls + alpha L_bip + beta L_sim (section 3.3), each a mean over sentences."""
        vectors, h, levels = self._read(batch)
        total, parts, measures = self.tagger.loss(h, batch)
        for name, weight, values in self._graph_losses(batch, vectors, levels):
            part = weight * values.mean()
            total = total + part
            parts[name] = part.detach()
        return Loss(total, parts, measures)

    def _graph_losses(
        self, batch: GraphBatch, vectors: Float[Tensor, "B N D"], levels: list[Level]
    ) -> Iterator[tuple[str, float, Float[Tensor, " B"]]]:
        """Name, weight and values of the losses that are on."""
        settings = self.settings
        if self.matching is not None:
            core = levels[-1].pooled
            gold = GoldGraphs.of(batch, vectors, most=core.nodes.shape[1])
            bipartite, similarity = self.matching(core, gold)
            if settings.bipartite_weight:
                yield "bipartite", settings.bipartite_weight, bipartite
            if settings.similarity_weight:
                yield "similarity", settings.similarity_weight, similarity
        if levels and settings.mincut_weight:
            losses = [mincut_loss(x.pooled.assignment, x.adjacency) for x in levels]
            yield "mincut", settings.mincut_weight, torch.stack(losses).sum(0)

    def forward(self, batch: GraphBatch) -> TaggedTriples:
        """Tags subjects, then the objects of each, on the U-Net's output."""
        _, h, _ = self._read(batch)
        return self.tagger(h, batch)

    def decode(self, batch: GraphBatch, scored: TaggedTriples) -> list[list[Prediction]]:
        """The triples of each sentence."""
        return self.tagger.decode(len(batch), scored)

    def ceiling(self, batch: GraphBatch) -> list[list[Prediction]]:
        """The targets, decoded."""
        return decode_targets(batch, 1, self.schema.relations, "nearest")


def _parser(resources: Resources) -> DependencyParser:
    if resources.parser is None:
        raise SuiteError(
            "RelU-Net needs a dependency parser",
            remedy="Name a spaCy pipeline with --parser, or `--parser chain` for none.",
        )
    return resources.parser
