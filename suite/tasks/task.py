"""What a task is: how its gold is read, matched, scored, sliced, counted, and put into words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import Field

from suite.files import StrictModel
from suite.tasks.claims import Claim
from suite.tasks.conventions import Convention
from suite.tasks.examples import Example, Span, TaskName
from suite.tasks.familiarity import Known
from suite.tasks.items import Item, Prediction
from suite.tasks.matching import Match, Matching, Wording
from suite.tasks.metric import Metric
from suite.tasks.renaming import Name, Named
from suite.tasks.scores import AnsweredExample, Evaluation, Scores

E = TypeVar("E", bound=Example)
I = TypeVar("I", bound=Item)  # noqa: E741 - the item of a task


class ExampleCounts(StrictModel):
    """What is counted in a split, whatever its task."""

    examples: int = Field(description="sentences or documents")
    words_mean: float = Field(description="words per example")
    words_max: int
    seen_share: float | None = Field(
        description="share of the items that train has too, compared by their words as written; "
        "None for train itself, and where there are no items"
    )
    problems: dict[str, int] = Field(description="`Problems` by name, zeros left out")


class Task(ABC, Generic[E, I]):
    """One of the tasks; the one place that knows what sets it apart from the others.

    Attributes:
        name: what files and records call it.
        title: what is found, in words.
        tag: what model hubs call the task.
        unit: what an example is.
        items: what is found in one, as a plural.
        compared: how two items are compared, in words; `{matching}` stands for what spans are
            compared by.
        rules: match rules that its tables show, the one first that the field asks about first, and
            how tables name each; empty where there is only one rule, which needs no name.
        metrics: what its scores are; declaring one here brings it into all that is written.
        closing: what a reader must know about the columns as a whole, as sentences.
        statistic_names: statistic of a split -> how tables name it, where its own name does not
            tell.
        batch_field: field of the protocol that holds the examples per training step.
        evaluation_batch: examples per batch in dev and test evaluation, which is timed apart from
            training.
        ranked: whether systems score all items that an example might hold, so that a theta, fitted
            on dev, says which are predicted, and measures are taken along the ranking.
        unlabelled_tests: whether there are public test sets without labels.
        has_relations: whether its items are relations between entities.
        entities_given: whether a system is given the entities, and finds relations alone.
        heads_are_typed: whether its schema says which entity types can head a relation.
        nests: whether its schema says that entities share words.
        familiarities: how well train may have known an item, the best first.
        explained: whether `suite.explanation` can say what its predictions depend on.
    """

    name: ClassVar[TaskName]
    title: ClassVar[str]
    tag: ClassVar[str]
    unit: ClassVar[str]
    items: ClassVar[str]
    compared: ClassVar[str]
    rules: ClassVar[Mapping[Match, str]]
    closing: ClassVar[str] = ""
    statistic_names: ClassVar[Mapping[str, str]]
    batch_field: ClassVar[str] = "batch_size"
    evaluation_batch: ClassVar[int]
    ranked: ClassVar[bool] = False
    unlabelled_tests: ClassVar[bool] = False
    has_relations: ClassVar[bool] = True
    entities_given: ClassVar[bool] = False
    heads_are_typed: ClassVar[bool] = False
    nests: ClassVar[bool] = False
    familiarities: ClassVar[tuple[str, ...]]
    explained: ClassVar[bool] = False

    def __init__(self) -> None:
        self.metrics: list[Metric] = list(self.declared())

    @classmethod
    @abstractmethod
    def declared(cls) -> Iterable[Metric]:
        """Its metrics, in the order of print."""

    def selection_match(self, match: Match) -> Match:
        """The rule under which dev F1 selects an epoch.

        Args:
            match: the protocol's.
        """
        del match
        return "exact"

    def selected(self, evaluation: Evaluation, match: Match) -> Scores:
        """The scores under the rule that selects an epoch."""
        return evaluation.under(self.selection_match(match))

    def rule(self, match: Match) -> str:
        """The match rule as it stands after "F1"; empty where there is only one."""
        return f", {match} match" if len(self.rules) > 1 else ""

    def metric(self, name: str) -> Metric | None:
        """The metric of a name; None where none is declared."""
        return next((metric for metric in self.metrics if metric.name == name), None)

    @abstractmethod
    def gold(self, example: E) -> list[I]:
        """The gold items of an example."""

    @abstractmethod
    def key(self, example: E, item: I, matching: Matching, match: Match) -> Hashable:
        """What two items of an example have in common where they count as the same.

        Args:
            example: whose words tell what a span says.
            item: gold or predicted.
            matching: what a span is compared by.
            match: the rule.
        """

    @abstractmethod
    def wordings(self, example: E, item: I) -> set[Wording]:
        """An item in words, in each of the ways in which it can be said."""

    def repeats(self, example: E) -> list[I]:
        """Gold items that the file names again, once for each time."""
        del example
        return []

    @abstractmethod
    def known(self, examples: Iterable[E]) -> Known:
        """What a training set knows."""

    @abstractmethod
    def familiarity(self, example: E, item: I, known: Known) -> str:
        """How well train knew an item, one of `familiarities`.

        Args:
            example: whose words tell what a span says.
            item: gold or predicted.
            known: of train.
        """

    @abstractmethod
    def conventions(self, match: Match, matching: Matching) -> list[Convention]:
        """How published scores count its items; this suite's rule first.

        Args:
            match: the rule that selects.
            matching: what a span is compared by.
        """

    @abstractmethod
    def named(self, example: E, *, by_part: bool) -> list[Named]:
        """The entities of an example with their names.

        Args:
            example: with its gold.
            by_part: whether kinds are parts in relations, and not types.
        """

    @abstractmethod
    def renamed(self, example: E, names: Mapping[Span, Name]) -> E:
        """An example whose gold has a place throughout, with other words in place of spans.

        Args:
            example: with its gold.
            names: span -> what takes its place; of `named`, none sharing a word with another.
        """

    @abstractmethod
    def shown(self, example: E, item: I) -> list[object]:
        """An item as a line of `predictions.jsonl` holds it."""

    @abstractmethod
    def item_of(self, example: E, claim: Claim, occurrence: int) -> Item:
        """The item that a file names; one without a place where its words are not in the text.

        Args:
            example: that it is about.
            claim: as the file has it.
            occurrence: how often the file named the same before, of this example.

        Raises:
            WrongClaimError: no item of the task can be meant.
        """

    def example_of(self, answered: AnsweredExample) -> E | None:
        """The example that a line of `predictions.jsonl` is about; None where it lacks of it.

        Raises:
            ValueError: the line is not of the task.
        """
        del answered
        return None

    def measures_of(
        self,
        examples: Sequence[E],
        predictions: Sequence[Sequence[Prediction]],
        in_train: AbstractSet[Wording],
    ) -> dict[str, float]:
        """The measures of a ranking that what is predicted gives without its scores.

        Args:
            examples: of the split.
            predictions: of each.
            in_train: what counts as seen.
        """
        del examples, predictions, in_train
        return {}

    @abstractmethod
    def slices_of_example(self, example: E, gold: int) -> dict[str, list[str]]:
        """Slice family -> slices that an example lies in.

        Args:
            example: to be placed.
            gold: how many gold items it has under the rule that selects.
        """

    @abstractmethod
    def slices_of_items(self, example: E) -> dict[str, Callable[[I], str]]:
        """Slice family -> the slice that an item of an example lies in."""

    @abstractmethod
    def count(
        self, examples: Sequence[E], max_words: int, common: Mapping[str, Any]
    ) -> ExampleCounts:
        """The counts of a split.

        Args:
            examples: of the split.
            max_words: the protocol's cut.
            common: the fields that all tasks share.
        """

    def competition_entries(
        self, examples: Sequence[E], predictions: Sequence[Sequence[Prediction]]
    ) -> list[dict[str, Any]] | None:
        """Predictions in the form of the task's public competition; None where there is none."""
        del examples, predictions
        return None

    def all_wordings(self, examples: Iterable[E]) -> frozenset[Wording]:
        """Every gold item of a split, in words."""
        return frozenset(
            wording
            for example in examples
            for item in self.gold(example)
            for wording in self.wordings(example, item)
        )

    def is_seen(self, example: E, item: I, in_train: AbstractSet[Wording]) -> bool:
        """Whether train has an item too, in words."""
        return not in_train.isdisjoint(self.wordings(example, item))
