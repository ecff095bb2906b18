"""TPLinker: triples as links between the ends of two entities (Wang et al., COLING 2020).

Letters in shapes: B sentences, M words of a batch (those of its sentences one after another), P
pairs of words, W width of a pair's vector, R relations, C scores of a pair, T triples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from baselines.tplinker.kernels import Between, Form, HandshakingKernel
from baselines.tplinker.linking import (
    MOST_CANDIDATES,
    MOST_ENTITIES,
    Candidates,
    Entities,
    HeadLinks,
    make_candidates,
)
from baselines.tplinker.scoring import PairScores, add_distances, precise
from baselines.tplinker.tagging import Directions, Gold, TaggedPairs, Taggers
from suite.modelling.layers import Dropout
from suite.modelling.pairs import PairBlock, pack_words, pair_blocks, sum_over_blocks
from suite.modelling.ragged import Ragged
from suite.modelling.triples import predicted_triples
from suite.systems.capabilities import Choices, Searches
from suite.systems.contract import PLAIN_ADAM, Loss, PublishedSettings, Resources
from suite.systems.encoders import OnEncoder
from suite.tasks.examples import Example, Sentence
from suite.tasks.items import Prediction
from suite.tasks.schema import Schema


@dataclass(frozen=True)
class TPLinkerSettings:
    """TPLinker's settings; the defaults are the paper's, where it names one.

    Attributes:
        encoder: `pretrained`, or `bilstm`: two of them over word vectors, one on the other.
        lstm_widths: of both BiLSTMs, both directions of each together.
        lstm_dropout: on what they give.
        train_vectors: whether word vectors are trained, as public code does.
        kernel: how two words become the vector of their pair; all but `cat` are public code's.
        between: for a kernel that ends in `plus`, how the words from one to the other become a
            vector: the last state of an `lstm`, their `mean` or `max`, or a learned `mix` of both.
        pair_width: of a pair's vector; None: the encoder's.
        distances: whether a sinusoidal vector of the words' distance is added to a pair's (public
            code).
        directions: `one tag` for a pair of words in a relation, as in the paper: none, forward or
            backward; or `two tags`, so that a relation may hold in both directions.
        recover_sentences: of training, after which entities and links weigh alike; up to then, what
            begins as the loss of entities alone turns into the whole one. 0: alike from the start.
    """

    encoder: Literal["pretrained", "bilstm"] = "pretrained"
    lstm_widths: tuple[int, ...] = (300, 600)
    lstm_dropout: float = 0.1
    train_vectors: bool = True
    kernel: Form = "cat"
    between: Between = "lstm"
    pair_width: int | None = None
    distances: bool = False
    directions: Directions = "one tag"
    recover_sentences: int = 0

    def __post_init__(self) -> None:
        if not self.lstm_widths or any(width < 2 or width % 2 for width in self.lstm_widths):
            raise ValueError(
                f"lstm_widths {self.lstm_widths} must be even numbers: both directions share each"
            )
        if self.pair_width is not None and self.kernel.startswith("cln"):
            raise ValueError(
                f"pair_width is for the kernels cat and cat_plus: with {self.kernel}, a pair is as "
                "wide as a word"
            )
        if self.pair_width is not None and self.pair_width < 1:
            raise ValueError(f"pair_width {self.pair_width} is no width")
        if self.recover_sentences < 0:
            raise ValueError(f"recover_sentences {self.recover_sentences} is below 0")


class LinkedTriples(NamedTuple):
    """The triples of a batch.

    Attributes:
        places: sentence, relation, and first and last word of subject and of object, within the
            sentence.
        scores: product of the probabilities of the four tags.
    """

    places: Int[Tensor, "T 6"]
    scores: Float[Tensor, " T"]


class TPLinker(OnEncoder[TaggedPairs, LinkedTriples], Searches):
    """The system: an encoder, a handshaking kernel and taggers of pairs."""

    name = "tplinker"
    title = "TPLinker"
    citation = (
        "Yucheng Wang, Bowen Yu, Yueyang Zhang, Tingwen Liu, Hongsong Zhu, Limin Sun: TPLinker: "
        "Single-stage Joint Extraction of Entities and Relations Through Token Pair Linking. "
        "COLING 2020."
    )
    tasks = frozenset({"triples"})
    over_vectors = ("bilstm",)
    departures = (
        "Pairs are of words, whose vectors are the means of their subwords; published code pairs "
        "subwords.",
        "The loss is summed over a sentence's pairs, taggers and relations, divided by its words "
        "and averaged over sentences; the paper writes no sum over relations, and published code "
        "averages over the cells of a batch, padding included.",
        "Entities and links weigh alike from the start: published code begins with entities alone "
        "and brings the links in over thousands of steps (setting recover_sentences, which counts "
        "sentences, so that it means the same for every batch size).",
        "A tagger's biases start at the rarity of tags (0.01 for entities, 0.001 for links), not "
        "at even odds, from which the first hundreds of steps would lead.",
        "A triple is tagged where its entities stand; published code tags it at every pair of "
        "places where their texts occur.",
        "Where two triples want different tags of one cell, the later one's stands, as in "
        "published code; with two tags a direction each has its own (setting directions).",
        "A triple's score is the product of its four tags' probabilities; the paper gives none.",
        f"At most {MOST_ENTITIES} entities of a sentence, the most probable ones, are linked, and "
        f"at most {MOST_CANDIDATES:,} pairs of them with a relation: an undertrained model tags "
        "thousands.",
        "At inference links are scored where entities begin and end alone, which gives the triples "
        "that all pairs would.",
        "The kernels cln and cln_plus divide by the standard deviation; published code by the "
        "square of the variance.",
        "Published code's learning rate falls along a cosine and starts anew every other epoch; "
        "here it is constant under the published settings.",
        "The BiLSTMs have dropout on what they give alone, and share the protocol's unknown word; "
        "published code draws unknown words' vectors around -1.",
    )
    Settings = TPLinkerSettings
    published = PublishedSettings(
        settings={"recover_sentences": 288_000},
        protocol={
            **PLAIN_ADAM,
            "learning_rate": 5e-5,
            "pretrained_learning_rate": 5e-5,
            "max_gradient_norm": None,
            "batch_size": 24,
            "epochs": 100,
            "patience": 100,
        },
        on={"webnlg": {"batch_size": 6}, "webnlg-star": {"batch_size": 6}},
    )

    def __init__(self, settings: TPLinkerSettings, schema: Schema, resources: Resources) -> None:
        super().__init__()
        self.settings = settings
        self.schema = schema
        vectors = resources.vectors.also_trained(settings.train_vectors)
        given = replace(resources, vectors=vectors)
        self.encoder = self.make_encoder(settings.encoder, given, *settings.lstm_widths)
        self.dropout = Dropout(settings.lstm_dropout if settings.encoder == "bilstm" else 0.0)
        width = self.encoder.width
        pair_width = settings.pair_width or width
        self.kernel = HandshakingKernel(width, pair_width, settings.kernel, settings.between)
        self.taggers = Taggers(pair_width, len(schema.relations), settings.directions)
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    @classmethod
    def vary(cls, settings: TPLinkerSettings, choices: Choices) -> dict[str, Any]:
        """The kernel with what it reads, the schedule, and the size of BiLSTMs."""
        kernel = choices.suggest_categorical("kernel", ("cat", "cat_plus", "cln", "cln_plus"))
        found: dict[str, Any] = {
            "kernel": kernel,
            "distances": choices.suggest_categorical("distances", (False, True)),
            "directions": choices.suggest_categorical("directions", ("one tag", "two tags")),
            "recover_sentences": choices.suggest_int("recover_sentences", 0, 288_000, step=36_000),
        }
        if kernel.endswith("plus"):
            found["between"] = choices.suggest_categorical(
                "between", ("lstm", "mean", "max", "mix")
            )
        found["pair_width"] = None
        if kernel.startswith("cat"):
            found["pair_width"] = choices.suggest_categorical("pair_width", (128, 256, None))
        if settings.encoder == "bilstm":
            width = choices.suggest_categorical("lstm_width", (200, 400, 600))
            found["lstm_widths"] = (width // 2, width)
            found["lstm_dropout"] = choices.suggest_float("lstm_dropout", 0.0, 0.5, step=0.1)
        return found

    def encode(self, examples: Sequence[Example]) -> TaggedPairs:
        """Word ids or subwords, and the tags of pairs."""
        sentences = cast(Sequence[Sentence], examples)
        text = self.encoder.encode(s.words for s in sentences)
        entities: list[list[tuple[int, ...]]] = []
        links: tuple[list[list[tuple[int, ...]]], ...] = ([], [])
        for sentence in sentences:
            known = [t for t in sentence.triples if t.relation in self.schema.relation_ids]
            spans = {(s.start, s.end - 1) for t in known for s in (t.head, t.tail)}
            entities.append(sorted(spans))
            ends = [[(t.head.start, t.tail.start, t.relation) for t in known]]
            ends.append([(t.head.end - 1, t.tail.end - 1, t.relation) for t in known])
            for rows, words in zip(links, ends, strict=True):
                rows.append(self._cells(words))
        return TaggedPairs(
            text, Ragged.from_rows(entities, 2), *(Ragged.from_rows(rows, 4) for rows in links)
        )

    def _cells(self, links: Sequence[tuple[int, int, str]]) -> list[tuple[int, ...]]:
        """The tags of links from subject to object, one for each cell that holds one alone."""
        found: dict[tuple[int, ...], tuple[int, ...]] = {}
        for subject, other, name in links:
            relation, back = self.schema.relation_ids[name], int(other < subject)
            cell = (min(subject, other), max(subject, other), back, relation)
            one = self.settings.directions == "one tag"
            found[(*cell[:2], relation) if one else cell] = cell
        return list(found.values())

    def _distances(self, longest: int, device: torch.device) -> Float[Tensor, "distances W"] | None:
        """A vector for each distance of two words: sines at even places, cosines at odd ones."""
        if not self.settings.distances:
            return None
        places = torch.arange(self.kernel.pair_width, device=device)
        rates = 10000.0 ** (-(places - places % 2) / self.kernel.pair_width)
        angles = torch.arange(longest, device=device)[:, None] * rates
        return torch.where(places % 2 == 0, angles.sin(), angles.cos())

    def _weights(self) -> tuple[float, float]:
        """Of the losses of entities and of links, from what training has seen."""
        recover = self.settings.recover_sentences
        if not recover:
            return 1.0, 1.0
        share = min(int(self.seen) / recover, 1.0)
        return max(1 + (2 * len(self.schema.relations) + 1) * (1 - share), 1.0), share

    def loss(self, batch: TaggedPairs) -> Loss:
        """Cross entropy of all taggers over all pairs, by words, averaged over sentences.

        In training it counts the sentences, for the weights of the losses to come.
        """
        lengths = batch.lengths
        x = pack_words(self.dropout(self.encoder(batch.text)), lengths)
        blocks = self._blocks(lengths)
        gold = Gold.of(batch, len(self.schema.relations)).split(blocks)
        gold_of = {block.pairs.start: part for block, part in zip(blocks, gold, strict=True)}
        each = (1.0 / (lengths * len(batch))).repeat_interleave(lengths)
        entity, link = self._weights()
        factors = x.new_tensor([entity, link, link])
        distances = self._distances(int(lengths.max()), x.device)
        words, inner = self.kernel.words(x), self.kernel.weights()

        def terms(block: PairBlock, *tensors: Tensor) -> tuple[Tensor, Tensor]:
            rows, others = tensors[: len(words)], tensors[len(words) :]
            h = self.kernel.pairs(block.first, block.second, rows, others[2:])
            h = add_distances(h, distances, block.first, block.second)
            scores = precise(nn.functional.linear(h, others[0], others[1]))
            weights = each[block.words].index_select(0, block.first)
            part = gold_of[block.pairs.start]
            losses = factors * self.taggers.losses(scores, part, weights.to(scores.dtype))
            return losses.sum(), losses

        weight, bias = self.taggers.above_none()
        total, parts = sum_over_blocks(terms, blocks, words, [weight, bias, *inner])
        if self.training:
            self.seen += len(batch)
        return Loss(total, dict(zip(("entities", "heads", "tails"), parts, strict=True)))

    def _blocks(self, lengths: Int[Tensor, " B"], columns: int | None = None) -> list[PairBlock]:
        """Blocks of pairs, each with its vector and so many scores; None: with all."""
        columns = 1 + 4 * len(self.schema.relations) if columns is None else columns
        return pair_blocks(lengths, self.kernel.numbers + columns, ordered=True)

    def forward(self, batch: TaggedPairs) -> LinkedTriples:
        """Tags entities; first words, where entities begin; last words of those that are linked."""
        owners = batch.text.words.owners
        x = pack_words(self.encoder(batch.text), batch.lengths)
        distances = self._distances(int(batch.lengths.max()), x.device)
        pairs = PairScores(self.kernel, self.taggers, x, owners, distances)
        entities = Entities.strongest(pairs.entities(self._blocks(batch.lengths, 1)), owners)
        starts = entities.first.unique()
        counts = torch.bincount(owners[starts], minlength=len(batch))
        blocks = self._blocks(counts, 2 * len(self.schema.relations)) if len(starts) else []
        found = make_candidates(entities, pairs.heads(starts, blocks), owners)
        tails = pairs.tails(found, entities)
        return self._triples(batch, found, entities, tails)

    def _triples(
        self,
        batch: TaggedPairs,
        found: Candidates,
        entities: Entities,
        tails: Float[Tensor, " K"],
    ) -> LinkedTriples:
        """The candidates whose last words are linked, which is a probability or 0."""
        kept = tails.nonzero().squeeze(1)
        subject, other, relation, scores = (column[kept] for column in found)
        row = batch.text.words.owners[entities.first[subject]]
        ends = [
            words[which] - batch.text.words.offsets[row]
            for which in (subject, other)
            for words in (entities.first, entities.last)
        ]
        return LinkedTriples(torch.stack([row, relation, *ends], 1), scores * tails[kept])

    def ceiling(self, batch: TaggedPairs) -> list[list[Prediction]]:
        """The targets, decoded."""
        owners, offsets = batch.text.words.owners, batch.text.words.offsets
        first, last = (batch.entities.values + offsets[batch.entities.owners][:, None]).unbind(1)
        entities = Entities(first, last, torch.ones(len(first)))
        entities = Entities.strongest(entities, owners)
        heads, tails = (_from_subject(cells, offsets) for cells in (batch.heads, batch.tails))
        subject, other, relation = heads.unbind(1)
        links = HeadLinks(subject, other, relation, torch.ones(len(heads)))
        found = make_candidates(entities, links, owners)
        ends = [entities.last[found.subject], entities.last[found.object], found.relation]
        tagged = {tuple(row) for row in tails.tolist()}
        linked = [tuple(row) in tagged for row in torch.stack(ends, 1).tolist()]
        perfect = torch.tensor(linked, dtype=torch.float32)
        return self.decode(batch, self._triples(batch, found, entities, perfect))

    def decode(self, batch: TaggedPairs, scored: LinkedTriples) -> list[list[Prediction]]:
        """The triples of each sentence; one that two tags give keeps its best score."""
        return predicted_triples(len(batch), *scored, self.schema.relations)


def _from_subject(cells: Ragged, offsets: Int[Tensor, " B_plus_1"]) -> Int[Tensor, "cells 3"]:
    """Words of subject and object, among the M, and relation of tagged links."""
    earlier, later, back, relation = cells.values.unbind(1)
    shift = offsets[cells.owners]
    ends = [torch.where(back > 0, later, earlier), torch.where(back > 0, earlier, later)]
    return torch.stack([ends[0] + shift, ends[1] + shift, relation], 1)
