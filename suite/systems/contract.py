"""The contract that every system answers; what some can do besides lies in `capabilities`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Generic, NamedTuple

from jaxtyping import Float
from torch import Tensor, nn
from typing_extensions import TypeVar

from suite.modelling.batch import Batch
from suite.modelling.parsers import DependencyParser
from suite.modelling.pretrained import PretrainedModel
from suite.modelling.word_vectors import WordVectors
from suite.tasks.examples import Example, TaskName
from suite.tasks.items import Prediction
from suite.tasks.reference import Reference
from suite.tasks.schema import Schema

B = TypeVar("B", bound=Batch, default=Any)
S = TypeVar("S", default=Any)


@dataclass(frozen=True)
class Resources:
    """What a system is built from besides its settings.

    Attributes:
        vectors: the word vectors, or random ones over the training words.
        pretrained: the transformer and its tokenizer; None where the command names none.
        max_words: the protocol's cut; no sentence that a system sees is longer.
        parser: the dependency parser; None where no system needs one.
    """

    vectors: WordVectors
    pretrained: PretrainedModel | None
    max_words: int
    parser: DependencyParser | None = None


class Loss(NamedTuple):
    """The loss of a batch.

    Attributes:
        total: what is differentiated.
        parts: named parts that sum to it, detached, for the history.
        measures: what else is worth following, as shares that are right; detached.
    """

    total: Float[Tensor, ""]
    parts: dict[str, Tensor]
    measures: Mapping[str, Tensor] = MappingProxyType({})


@dataclass(frozen=True)
class PublishedSettings:
    """A paper's own setup, for `--settings published`.

    Attributes:
        settings: fields of the system's settings that differ from its defaults.
        protocol: fields of the protocol that differ from its defaults.
        on: name of a dataset -> fields of the protocol that are the paper's there alone.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)
    on: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


PLAIN_ADAM: Mapping[str, Any] = MappingProxyType(
    {"optimiser": "adam", "schedule": "constant", "weight_decay": 0.0, "warmup": 0.0}
)
"""Fields of the protocol of a paper that says "Adam" and a learning rate."""


class System(nn.Module, ABC, Generic[B, S]):
    """A model with its encoding, loss and decoding.

    A system knows no device, epoch, tracker or file; whoever runs it knows nothing of the model's
    inside. Sentences arrive already cut to `Resources.max_words`. From words to predictions it is
    called three times, `encode`, `forward` and `decode`, each of which is timed from outside.

    Type parameters: B, its batches; S, what `forward` gives and `decode` takes.

    Attributes:
        name: the registry's key.
        title: as tables print it.
        citation: authors, venue, year.
        tasks: the tasks it can do.
        departures: where it differs from its paper, and why; the report prints them.
        Settings: a frozen dataclass, defaults as published, each field documented.
        published: the paper's own setup.
        entities_given: whether sentences come with their gold entities; `upper_bound` says so then.
        upper_bound: what it is given that a system has to find, as it reads on from the title ("is
            given the gold entities"); its rows are said to be bounds and are ranked with no other.
            None for all that is a system.
        learning_rate_factor: by what the protocol's learning rate of fresh parameters is
            multiplied.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    citation: ClassVar[str]
    tasks: ClassVar[frozenset[TaskName]]
    departures: ClassVar[tuple[str, ...]]
    Settings: ClassVar[type[Any]]
    published: ClassVar[PublishedSettings] = PublishedSettings()
    entities_given: ClassVar[bool] = False
    upper_bound: ClassVar[str | None] = None
    learning_rate_factor: float = 1.0

    @classmethod
    def build(cls, settings: Any, schema: Schema, resources: Resources) -> System[B, S]:
        """A system that is freshly initialised, but for what a pretrained encoder brings."""
        return cls(settings, schema, resources)

    @classmethod
    def resources_needed(cls, settings: Any) -> frozenset[str]:
        """Which resources `build` reads: of `vectors`, `pretrained` and `parser`.

        With `fresh weights` among them, `pretrained` gives its architecture and tokenizer alone.
        """
        return frozenset({"vectors"})

    @abstractmethod
    def encode(self, examples: Sequence[Example]) -> B:
        """All that can be done once for a dataset: ids, spans, packed targets."""

    @abstractmethod
    def loss(self, batch: B) -> Loss:
        """The loss of a batch, a mean over its examples, under the module's training mode."""

    @abstractmethod
    def forward(self, batch: B) -> S:
        """All that the network computes of a batch, up to what items are made of.

        What a network reads of its own predictions (the heads whose tails a cascade tags) is
        decoded here.
        """

    @abstractmethod
    def decode(self, batch: B, scored: S) -> list[list[Prediction]]:
        """For each example its predictions, without duplicates, in word offsets.

        Args:
            batch: as it was given to `forward`.
            scored: what `forward` gave.
        """

    @abstractmethod
    def ceiling(self, batch: B) -> list[list[Prediction]]:
        """What `decode` would give if every target were scored perfectly.

        Gold that it does not give back lies above the ceiling of the system's tagging scheme.
        """

    def calibrate(self, batches: Sequence[B], reference: Reference) -> None:
        """Fits thresholds on dev; called before each evaluation, never with test.

        Args:
            batches: the dev split in order.
            reference: its gold, in the same order, and the rule by which epochs are chosen.
        """

    def pretrained_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that the protocol's lower learning rate is for."""
        return iter(())

    def word_vectors(self) -> Tensor | None:
        """The table of word vectors, a parameter where training changes it; None without one."""
        return None


def predict(system: System[B, S], batch: B) -> list[list[Prediction]]:
    """From an encoded batch to its predictions."""
    return system.decode(batch, system(batch))


def given(system: System | type[System], example: Example) -> Example:
    """What a system is given at inference: words alone, and entities where its task gives them.

    Args:
        system: may be given gold entities besides.
        example: with its gold.
    """
    return example.with_entities_alone() if system.entities_given else example.bare()
