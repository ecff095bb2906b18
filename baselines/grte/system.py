"""GRTE: labelled tables of word pairs, refined over rounds (Ren et al., EMNLP 2021).

Letters in shapes: B sentences, N words, M words of a batch (those of its sentences one after
another), E width of the encoder, D width of the tables' operands, G gold cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from baselines.grte.labels import MOST_CELLS, Cells, find_triples, label_cells
from baselines.grte.mining import AttentionMining, GRUMining, Mining, Round, spread
from baselines.grte.tables import Activation, TableFeature
from suite.modelling.batch import Batch
from suite.modelling.layers import Dropout
from suite.modelling.ragged import Ragged
from suite.modelling.triples import predicted_triples
from suite.modelling.word_tables import Layout, TableBlock
from suite.systems.capabilities import Choices, Searches
from suite.systems.contract import Loss, PublishedSettings, Resources
from suite.systems.encoders import OnEncoder
from suite.tasks.examples import Example, Sentence
from suite.tasks.items import Prediction
from suite.tasks.schema import Schema

CHEAP = 20
"""So many times the mining's work are the tables' where the mining is done again for its gradient,
which spares what it would keep: gigabytes at hundreds of relations, for a few per cent of time."""


@dataclass(frozen=True)
class GRTESettings:
    """GRTE's settings; the defaults are the paper's, or its code's where the paper is silent.

    Attributes:
        encoder: `pretrained`, or a `bilstm` over word vectors (the paper's LSTM rows).
        lstm_width: hidden size of the BiLSTM, both directions together.
        dropout: on the encoder's output and within the mining.
        rounds: tables that are made one after another; the last one is decoded. The paper's best:
            4 on WebNLG, 2 on the star forms, 3 on the others.
        mining: how a table reaches the next round: by `attention`, by a `gru` (ablation), or not at
            all: with `none` there is one round, whatever `rounds` says (ablation).
        own_rounds: whether each round has parameters of its own (ablation).
        heads: of the mining's attention (ablation: 1); where they do not share the width evenly,
            the most below that do.
        feed_forward: width of the mining's inner layer, as a multiple of `width`.
        activation: of the product of two words: the equations' `relu`, public code's `elu`, `gelu`.
        outer_norm: whether vectors are normalised after what is mined is added (the equations).
        width: of the subjects' and objects' vectors; None: that of the encoder.
        reverse: whether each last cell also looks for its first one (Algorithm 1), or first cells
            alone for their last ones (public code).
    """

    encoder: Literal["pretrained", "bilstm"] = "pretrained"
    lstm_width: int = 300
    dropout: float = 0.1
    rounds: int = 3
    mining: Mining = "attention"
    own_rounds: bool = False
    heads: int = 12
    feed_forward: int = 4
    activation: Activation = "relu"
    outer_norm: bool = True
    width: int | None = None
    reverse: bool = True

    def __post_init__(self) -> None:
        for name in ("rounds", "heads", "feed_forward", "lstm_width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is less than 1")
        if self.width is not None and self.width < 1:
            raise ValueError(f"width {self.width} is less than 1")
        if self.lstm_width % 2:
            raise ValueError(f"lstm_width {self.lstm_width} is odd: both directions share it")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout {self.dropout} lies outside [0, 1)")

    @property
    def tables(self) -> int:
        """Tables that are made."""
        return 1 if self.mining == "none" else self.rounds


@dataclass(frozen=True)
class TableBatch(Batch):
    """Sentences with the cells that are to be labelled.

    Attributes:
        cells: subject's word, object's word, relation and label of each.
    """

    cells: Ragged


class Scored(NamedTuple):
    """The labelled cells of a batch; their sentences are places of the layout, words of the M."""

    layout: Layout
    cells: Cells


class GRTE(OnEncoder[TableBatch, Scored], Searches):
    """The system: an encoder, and rounds of table features and mining."""

    name = "grte"
    title = "GRTE"
    citation = (
        "Feiliang Ren, Longhui Zhang, Shujuan Yin, Xiaofeng Zhao, Shilei Liu, Bochao Li, Yaduo "
        "Liu: A Novel Global Feature-Oriented Relational Triple Extraction Model based on Table "
        "Filling. EMNLP 2021."
    )
    tasks = frozenset({"triples"})
    over_vectors = ("bilstm",)
    departures = (
        "Tables are of words, whose vectors are the means of their subwords, and no row or column "
        "is left out; public code labels subwords and leaves out those of [CLS] and [SEP], in "
        "whose place a sentence's first and last words stand here.",
        "Padding has no part in the maxima and in self-attention; public code masks it in neither.",
        "The loss is summed over pairs and relations and averaged over sentences, so that one "
        "learning rate serves all systems; public code sums over the batch as well.",
        "Mining is the decoder layer of public code, whose parameters alone give the published "
        "numbers of them; the equations have a single layer with ReLU after the attention. "
        "Activation, last LayerNorm and reverse search are the equations', and public code's under "
        "the published settings.",
        "N/A starts ahead of the other labels as if one cell in a thousand had one, not at even "
        "odds, which the first hundreds of steps would unlearn; maxima are taken without this.",
        "Of triples that want different labels in one cell, the first one of a sentence is marked "
        "whole; public code overwrites single cells, whose other halves then mislead decoding.",
        "The closest cell is the one fewest rows and columns away together, of those the one of "
        "fewest rows; the paper gives no formula, and public code takes the first row by row.",
        "A triple's score is the probability of the less probable of its cells.",
        f"At most {MOST_CELLS:,} cells of a sentence are decoded, the most probable ones: an "
        "untrained table labels nearly all of its cells, and no gold needs a tenth of that.",
        "The GRU of the ablation reads table features and has the words' vectors as its state; the "
        "paper gives no equations of it. Parameters of a round's own are those of its table too.",
        "The BiLSTM's width is this project's choice: there is no code of the LSTM rows.",
        "Public code scores test after every epoch and keeps the best; here dev chooses.",
    )
    Settings = GRTESettings
    published = PublishedSettings(
        settings={"activation": "elu", "outer_norm": False, "reverse": False},
        protocol={
            "optimiser": "adamw",
            "schedule": "linear",
            "learning_rate": 3e-5,
            "pretrained_learning_rate": 3e-5,
            "weight_decay": 0.0,
            "warmup": 0.0,
            "max_gradient_norm": 1.0,
            "batch_size": 6,
            "epochs": 50,
            "patience": 50,
            "max_words": 100,
        },
    )

    def __init__(self, settings: GRTESettings, schema: Schema, resources: Resources) -> None:
        super().__init__()
        self.settings = settings
        self.schema = schema
        self.encoder = self.make_encoder(settings.encoder, resources, settings.lstm_width)
        self.dropout = Dropout(settings.dropout)
        width, relations = settings.width or self.encoder.width, len(schema.relations)
        self.subjects, self.objects = (nn.Linear(self.encoder.width, width) for _ in range(2))
        for layer in (self.subjects, self.objects):
            nn.init.orthogonal_(layer.weight)
            nn.init.zeros_(layer.bias)
        tables = settings.tables if settings.own_rounds else 1
        self.tables = nn.ModuleList(
            TableFeature(width, relations, settings.activation, last=number == tables - 1)
            for number in range(tables)
        )
        rounds = settings.tables - 1 if settings.own_rounds else min(1, settings.tables - 1)
        features = self.table(0).scores.out_features
        self.rounds = nn.ModuleList(
            Round(features, width, _make_mining(settings, width, self.encoder.width))
            for _ in range(rounds)
        )

    def table(self, number: int) -> TableFeature:
        """Of a round, from 0."""
        return cast(TableFeature, self.tables[number if self.settings.own_rounds else 0])

    @classmethod
    def vary(cls, settings: GRTESettings, choices: Choices) -> dict[str, Any]:
        """Rounds, how they are mined, and the widths."""
        found: dict[str, Any] = {
            "rounds": choices.suggest_int("rounds", 1, 5),
            "mining": choices.suggest_categorical("mining", ("attention", "gru", "none")),
            "own_rounds": choices.suggest_categorical("own_rounds", (False, True)),
            "heads": choices.suggest_categorical("heads", (1, 4, 8, 12)),
            "feed_forward": choices.suggest_categorical("feed_forward", (1, 2, 4)),
            "activation": choices.suggest_categorical("activation", ("relu", "elu", "gelu")),
            "outer_norm": choices.suggest_categorical("outer_norm", (True, False)),
            "width": choices.suggest_categorical("width", (None, 96, 192, 288)),
            "dropout": choices.suggest_float("dropout", 0.0, 0.5, step=0.1),
            "reverse": choices.suggest_categorical("reverse", (True, False)),
        }
        if settings.encoder == "bilstm":
            found["lstm_width"] = choices.suggest_categorical("lstm_width", (100, 200, 300, 400))
        return found

    def encode(self, examples: Sequence[Example]) -> TableBatch:
        """Word ids or subwords, and the labelled cells."""
        sentences = cast(Sequence[Sentence], examples)
        text = self.encoder.encode(s.words for s in sentences)
        cells = [label_cells(s.triples, self.schema.relation_ids) for s in sentences]
        return TableBatch(text, Ragged.from_rows(cells, 4))

    def _last_operands(
        self, batch: TableBatch, layout: Layout
    ) -> tuple[Float[Tensor, "M D"], Float[Tensor, "M D"], list[TableBlock]]:
        """H_s and H_o of the last round, and the blocks of its table."""
        h = self.dropout(self.encoder(batch.text))
        present = batch.text.words.mask()
        subjects, objects = self.subjects(h), self.objects(h)
        blocks = self.table(0).blocks(layout.lengths.tolist(), h.device)
        places = layout.places(h.shape[1])
        source: Any = None
        for number in range(self.settings.tables - 1):
            here = cast(Round, self.rounds[number if self.settings.own_rounds else 0])
            if number == 0 or self.settings.own_rounds:
                source = here.mining.read(h)
            packed = [x.flatten(0, 1).index_select(0, places) for x in (subjects, objects)]
            rows, columns = self.table(number).maxima(packed[0], packed[1], blocks)
            of_subjects = spread(here.subjects(rows), places, h.shape[:2])
            of_objects = spread(here.objects(columns), places, h.shape[:2])
            again = self._mined_again(h.shape[1])
            subjects, objects = (
                checkpoint(here.mining, *operands, source, present, use_reentrant=False)
                if again
                else here.mining(*operands, source, present)
                for operands in ((of_subjects, subjects), (of_objects, objects))
            )
        return layout.pack(subjects), layout.pack(objects), blocks

    def _mined_again(self, longest: int) -> bool:
        """Whether mining keeps nothing for its gradient, and is done again for it."""
        scores = self.table(0).scores
        layers = 8 + 2 * self.settings.feed_forward  # of D by D, over both attentions
        tables = longest * scores.out_features
        return torch.is_grad_enabled() and tables > CHEAP * layers * scores.in_features

    def loss(self, batch: TableBatch) -> Loss:
        """Cross entropy of the last round's labels over pairs and relations."""
        layout = Layout.of(batch)
        subjects, objects, blocks = self._last_operands(batch, layout)
        table = self.table(self.settings.tables - 1)
        total = table.loss(subjects, objects, blocks, _gold(batch, layout)) / len(batch)
        return Loss(total, {"table": total.detach()})

    def forward(self, batch: TableBatch) -> Scored:
        """Labels the cells of the last round's table."""
        layout = Layout.of(batch)
        subjects, objects, blocks = self._last_operands(batch, layout)
        table = self.table(self.settings.tables - 1)
        return Scored(layout, table.find(subjects, objects, blocks, layout))

    def ceiling(self, batch: TableBatch) -> list[list[Prediction]]:
        """The targets, decoded."""
        layout = Layout.of(batch)
        subjects, objects, relations, labels = _gold(batch, layout).unbind(1)
        scores = torch.ones(len(labels), device=labels.device)
        cells = Cells(layout.owners[subjects], subjects, objects, relations, labels, scores)
        return self.decode(batch, Scored(layout, cells))

    def decode(self, batch: TableBatch, scored: Scored) -> list[list[Prediction]]:
        """Pairs first cells with last ones."""
        layout, cells = scored
        found = find_triples(cells, reverse=self.settings.reverse)
        shift = layout.starts[found.sentences]
        words = (found.subject_first, found.subject_last, found.object_first, found.object_last)
        columns = [layout.order[found.sentences], found.relations, *(x - shift for x in words)]
        table = torch.stack(columns, 1)
        return predicted_triples(len(batch), table, found.scores, self.schema.relations)


def _gold(batch: TableBatch, layout: Layout) -> Int[Tensor, "G 4"]:
    """Subject's word and object's word (of the M), relation and label of the gold cells."""
    cells = batch.cells.select(layout.order)
    words = cells.values[:, :2] + layout.starts[cells.owners][:, None]
    return torch.cat([words, cells.values[:, 2:]], 1)


def _make_mining(settings: GRTESettings, width: int, source: int) -> AttentionMining | GRUMining:
    if settings.mining == "gru":
        return GRUMining(width)
    sizes = (width, source, settings.heads, settings.feed_forward, settings.dropout)
    return AttentionMining(*sizes, outer_norm=settings.outer_norm)
