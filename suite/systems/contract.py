"""The contract of a system, and the registry in which systems are found by name."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, is_dataclass
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from jaxtyping import Float
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from suite.errors import SuiteError, first_mistake, unknown
from suite.fastre.space import Choices
from suite.modelling.encoded import Batch, Encoded
from suite.modelling.gradients import Explanation
from suite.modelling.parsers import DependencyParser
from suite.modelling.pretrained import PretrainedModel
from suite.modelling.word_vectors import WordVectors
from suite.tasks.examples import Example, TaskName
from suite.tasks.items import Item, Prediction
from suite.tasks.schema import Schema

ENTRY_POINT_GROUP = "relation_suite.systems"


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


class OperatingPoint(NamedTuple):
    """A trade of accuracy for speed that a trained system can be set to.

    Attributes:
        rule: by which it stops early; empty for full depth.
        value: of the rule's threshold.
    """

    rule: str
    value: float


@dataclass(frozen=True)
class PublishedSettings:
    """A paper's own setup, for `--settings published`.

    Attributes:
        settings: fields of the system's settings that differ from its defaults.
        protocol: fields of the protocol that differ from its defaults.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)


class System(nn.Module, ABC):
    """A model with its encoding, loss and decoding.

    A system knows no device, epoch, tracker or file; whoever runs it knows no model's inside.
    Sentences arrive already cut to `Resources.max_words`.

    Attributes:
        name: the registry's key.
        title: as tables print it.
        citation: authors, venue, year.
        tasks: the tasks it can do.
        departures: where it differs from its paper, and why; the report prints them.
        Settings: a frozen dataclass, defaults as published, each field documented.
        published: the paper's own setup.
        upper_bound: what it is given that a system has to find, as it reads on from the title ("is
            given the gold entities"); its rows are said to be bounds and are ranked with no other.
            None for all that is a system.
        searched_first: choices of `vary` that a structure search tries before any others, by what
            its report calls them.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    citation: ClassVar[str]
    tasks: ClassVar[frozenset[TaskName]]
    departures: ClassVar[tuple[str, ...]]
    Settings: ClassVar[type[Any]]
    published: ClassVar[PublishedSettings] = PublishedSettings()
    upper_bound: ClassVar[str | None] = None
    searched_first: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})

    @classmethod
    @abstractmethod
    def build(cls, settings: Any, schema: Schema, resources: Resources) -> System:
        """A freshly initialised system."""

    @abstractmethod
    def encode(self, examples: Sequence[Example]) -> Encoded:
        """All that can be done once for a dataset: ids, spans, packed targets."""

    @abstractmethod
    def loss(self, batch: Batch) -> Loss:
        """The loss of a batch, a mean over its examples, under the module's training mode."""

    @abstractmethod
    def predict(self, batch: Batch) -> list[list[Prediction]]:
        """For each example its predictions, without duplicates, in word offsets."""

    @abstractmethod
    def ceiling(self, batch: Batch) -> list[list[Prediction]]:
        """What `predict` would give if every target were scored perfectly.

        Gold that it does not give back lies above the ceiling of the system's tagging scheme.
        """

    @classmethod
    def bare(cls, example: Example) -> Example:
        """What the system is given at inference: words alone; of a document, its entities too."""
        return example.bare()

    def calibrate(self, batches: Sequence[Batch], gold: Sequence[AbstractSet[Item]]) -> None:
        """Fits thresholds on dev; called before each evaluation, never with test.

        Args:
            batches: the dev split in order.
            gold: the gold items of each dev example, in the same order.
        """

    def fact_scores(self, batch: Batch) -> list[Float[Tensor, "_ _ relations"]]:
        """For each document the probability that head, tail and relation are a fact.

        For the task `docre`, whose measures rank all facts that a document might hold.
        """
        raise NotImplementedError(f"{self.name} scores no facts")

    def decide_at(self, theta: float) -> None:
        """Sets the probability from which on a fact is predicted (task `docre`).

        Args:
            theta: where F1 over dev is best; whoever evaluates fits it, from `fact_scores`.
        """
        raise NotImplementedError(f"{self.name} decides on no facts")

    @classmethod
    def vary(cls, settings: Any, choices: Choices) -> dict[str, Any]:
        """The settings of a structure search's trial that differ from `settings`.

        Args:
            settings: the system's, with all that the search holds fixed.
            choices: makes the trial's choices.
        """
        raise NotImplementedError(f"{cls.name} has no search space")

    @classmethod
    def structure(cls, settings: Any) -> dict[str, str]:
        """What a search's report says of a structure: heading -> cell."""
        return {}

    @classmethod
    def operating_points(cls, settings: Any) -> tuple[OperatingPoint, ...]:
        """The trades of accuracy for speed that are measured after training; full depth first."""
        return ()

    def operate_at(self, point: OperatingPoint) -> None:
        """Sets the trade for the predictions to come."""
        raise NotImplementedError(f"{self.name} has one operating point")

    def layers_used(self) -> float:
        """Mean number of encoder layers that the sentences predicted since `operate_at` took."""
        raise NotImplementedError(f"{self.name} has one operating point")

    def explain(self, batch: Batch) -> Explanation:
        """What each sentence's loss depends on, over all its gold targets; in evaluation mode."""
        raise NotImplementedError(f"{self.name} cannot be explained")

    def pretrained_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that the protocol's lower learning rate is for."""
        return iter(())

    def word_vectors(self) -> Tensor | None:
        """The table of word vectors, a parameter where training changes it; None without one."""
        return None

    @classmethod
    def resources_needed(cls, settings: Any) -> frozenset[str]:
        """Which resources `build` reads: of `vectors`, `pretrained` and `parser`.

        With `fresh weights` among them, `pretrained` gives its architecture and tokenizer alone.
        """
        return frozenset({"vectors"})


BUILT_IN: dict[str, str] = {
    "fastre": "suite.fastre.system:FastRE",
    "casrel": "baselines.casrel.system:CasRel",
    "pmei": "baselines.pmei.system:PMEI",
    "relu_net": "baselines.relu_net.system:RelUNet",
    "bert_docred": "baselines.bert_docred.system:BertDocRED",
    "bert_docred_gold": "baselines.bert_docred.system:BertDocREDGold",
    "fastner": "baselines.fastner.system:FastNER",
}
"""The systems of this repository; others come by the entry point `relation_suite.systems`."""


def system_names() -> list[str]:
    """All known names: those of this repository first, plug-ins after them."""
    plugins = sorted(e.name for e in entry_points(group=ENTRY_POINT_GROUP))
    return [*BUILT_IN, *(name for name in plugins if name not in BUILT_IN)]


def find_system(name: str) -> type[System]:
    """The class of a system by its name.

    Raises:
        SuiteError: nothing answers to the name, or its plug-in does not import or is no system.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    found = {e.name: e for e in entry_points(group=ENTRY_POINT_GROUP)}
    if name not in found:
        raise unknown("system", name, system_names())
    try:
        system = found[name].load()
    except Exception as error:
        raise SuiteError(
            f"the plug-in system {name!r} ({found[name].value}) does not import: {error!r}",
            remedy="Mend or uninstall its package.",
        ) from error
    if not (isinstance(system, type) and issubclass(system, System)):
        raise SuiteError(
            f"the plug-in {name!r} ({found[name].value}) is no suite.system.System",
            remedy="Derive its class from System.",
        )
    if system.name != name:
        raise SuiteError(
            f"the plug-in {name!r} ({found[name].value}) calls itself {system.name!r}",
            remedy="Its entry point and its attribute `name` must agree.",
        )
    return system


def make_settings(system: type[System], values: Mapping[str, Any]) -> Any:
    """The system's settings with some fields changed.

    Raises:
        SuiteError: a field that the system does not have, or a value that it refuses.
    """
    assert is_dataclass(system.Settings)
    known = {f.name: f for f in fields(system.Settings)}
    for name in values:
        if name not in known:
            raise unknown(f"setting of {system.name}", name, known)
    try:
        return TypeAdapter(system.Settings).validate_python(dict(values))
    except ValidationError as error:
        raise SuiteError(
            first_mistake(error, system.name), remedy="See the fields' documentation."
        ) from error
