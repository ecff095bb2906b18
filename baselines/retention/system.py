"""Retention: says what train said of the names that a text holds (Taillé et al., EMNLP 2021)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from baselines.retention.memory import Memory, memory_of
from suite.modelling.batch import Batch, Text
from suite.modelling.ragged import Ragged
from suite.systems.contract import Loss, Resources, System
from suite.tasks.by_name import given_names, item_at
from suite.tasks.examples import Example
from suite.tasks.items import Prediction
from suite.tasks.registry import find_task
from suite.tasks.schema import Schema


@dataclass(frozen=True)
class RetentionSettings:
    """Retention has no settings."""


@dataclass(frozen=True)
class RetentionBatch(Batch):
    """What is known of the names of each example.

    Attributes:
        names: start, end and number of each name of train that is found; of documents, the given
            entity in place of both ends.
        entities: a row with the number of given entities.
        gold: what would be said of the example by a memory of nothing else, as `Finding`.
    """

    names: Ragged
    entities: Ragged
    gold: Ragged


class Finding(NamedTuple):
    """What is said of an example: head, relation and tail, or an entity and its type.

    Attributes:
        head: start and end; of documents, the entity twice.
        label: number of the relation or the type in the schema.
        tail: as `head`; of entities alone, the head again.
    """

    head: tuple[int, int]
    label: int
    tail: tuple[int, int]


Found = dict[Finding, float]
"""What is said, with its share."""


class Retention(System[RetentionBatch, list[Found]]):
    """The system: a memory of train, and nothing that is trained."""

    name = "retention"
    title = "Retention"
    citation = (
        "Taillé, Guigue, Scoutheeten, Gallinari: Separating Retention from Extraction in the "
        "Evaluation of End-to-end Relation Extraction. EMNLP 2021."
    )
    tasks = frozenset({"triples", "docre", "ner"})
    departures = (
        "It says every relation that train has of two names, where the paper's heuristic gives "
        "what it tags its majority label, so that triples of one pair (EPO) are not lost.",
        "Of a triple's names each counts at its first place in the sentence, where datasets put "
        "them that give words without places.",
        "Names are found by the words that train has of them, as written, the longest first; a "
        "name within a name is not found.",
        "The score of a triple is the share of the training examples that relate its two names "
        "which relate them so, that of an entity the share of its type: the paper has none.",
        "On documents, whose entities are given, theta is fitted on dev as for every system; facts "
        "that train does not have are never said.",
    )
    Settings = RetentionSettings

    theta: Tensor

    def __init__(self, settings: RetentionSettings, schema: Schema, resources: Resources) -> None:
        super().__init__()
        self.settings, self.schema = settings, schema
        self.task = find_task(schema.task)
        self.memory = Memory()
        self.register_buffer("theta", torch.zeros(()))

    @classmethod
    def resources_needed(cls, settings: RetentionSettings) -> frozenset[str]:
        """None."""
        return frozenset()

    def memorise(self, examples: Sequence[Example]) -> None:
        """Keeps what they say, in place of what was kept."""
        self.memory = memory_of(examples, self.schema)

    def get_extra_state(self) -> Tensor:
        """The memory, as the bytes of its JSON: weights are tensors alone."""
        return torch.tensor(list(self.memory.to_json().encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """The inverse of `get_extra_state`."""
        self.memory = Memory.from_json(bytes(state.tolist()).decode())

    def encode(self, examples: Sequence[Example]) -> RetentionBatch:
        """The names of train that each example holds."""
        lengths = [[0] * len(example.words) for example in examples]
        names = [self._names(self.memory, example) for example in examples]
        counts = [[len(given_names(example) or ())] for example in examples]
        gold = [
            [(*head, label, *tail) for head, label, tail in self._own(example)]
            for example in examples
        ]
        return RetentionBatch(
            Text(Ragged.from_rows(lengths)),
            Ragged.from_rows(names, item=3),
            Ragged.from_rows(counts),
            Ragged.from_rows(gold, item=5),
        )

    def _own(self, example: Example) -> Found:
        """What is said of an example by a memory of nothing else."""
        if not self.task.gold(example):
            return {}
        memory = memory_of([example], self.schema)
        return self._said(memory, self._names(memory, example))

    def _names(self, memory: Memory, example: Example) -> list[tuple[int, int, int]]:
        given = given_names(example)
        if given is not None:
            return [
                (i, i, memory.numbers[name])
                for i, names in enumerate(given)
                for name in names
                if name in memory.numbers
            ]
        found = memory.find(example.words)
        if not self.task.has_relations:
            return found
        first = {number: (start, end, number) for start, end, number in reversed(found)}
        return sorted(first.values())

    def _said(self, memory: Memory, names: Iterable[Sequence[int]]) -> Found:
        """What a memory says of the names of one example."""
        places = [((start, end), number) for start, end, number in names]
        if not self.task.has_relations:
            typed = ((span, memory.types[number]) for span, number in places)
            return {Finding(span, kind, span): share for span, (kind, share) in typed}
        found: Found = {}
        for head, number in places:
            tails = memory.relations.get(number, {})
            for tail, other in places if tails else ():
                for relation, share in tails.get(other, ()):
                    finding = Finding(head, relation, tail)
                    found[finding] = max(share, found.get(finding, 0.0))
        return found

    def loss(self, batch: RetentionBatch) -> Loss:
        """Nothing: there are no parameters that could lower it."""
        return Loss(self.theta.new_zeros(()), {})

    def forward(self, batch: RetentionBatch) -> list[Found]:
        """What the memory says of each example."""
        rows, ends = batch.names.values.tolist(), batch.names.offsets.tolist()
        return [self._said(self.memory, rows[start:end]) for start, end in pairwise(ends)]

    def decode(self, batch: RetentionBatch, scored: list[Found]) -> list[list[Prediction]]:
        """All of it; of documents, what reaches theta and is not of an entity and itself."""
        theta = float(self.theta)
        return [self._predicted(found, theta) for found in scored]

    def _predicted(self, found: Found, theta: float) -> list[Prediction]:
        return [
            Prediction(item_at(self.schema, *finding), share)
            for finding, share in found.items()
            if self._counts(finding, share, theta)
        ]

    def _counts(self, finding: Finding, share: float, theta: float) -> bool:
        both = share >= theta and finding.head != finding.tail
        return both or not self.task.entities_given

    def ceiling(self, batch: RetentionBatch) -> list[list[Prediction]]:
        """What would be said if train had said of each example's names what its own gold does."""
        rows, ends = batch.gold.values.tolist(), batch.gold.offsets.tolist()
        own = (
            {Finding((a, b), label, (c, d)): 1.0 for a, b, label, c, d in rows[start:end]}
            for start, end in pairwise(ends)
        )
        return [self._predicted(found, 0.0) for found in own]

    def fact_scores(self, batch: RetentionBatch) -> list[Float[Tensor, "_ _ relations"]]:
        """For each document the share of each fact; zero for what train does not have."""
        scores = []
        for found, count in zip(self(batch), batch.entities.values.tolist(), strict=True):
            score = self.theta.new_zeros(count, count, len(self.schema.relations))
            for finding, share in found.items():
                score[finding.head[0], finding.tail[0], finding.label] = share
            scores.append(score)
        return scores

    def decide_at(self, theta: float) -> None:
        """Sets the share from which upwards a fact is predicted."""
        self.theta.fill_(theta)
