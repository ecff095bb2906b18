"""What predictions on dev are held against where a system fits a threshold to them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from suite.tasks.examples import Example, TaskName
from suite.tasks.items import Item, Prediction
from suite.tasks.matching import Match, Matching
from suite.tasks.registry import find_task
from suite.tasks.scoring import evaluate


@dataclass(frozen=True)
class Reference:
    """Gold, and the rule by which dev chooses the epoch: a threshold is fitted by the same.

    Attributes:
        examples: uncut, in the order of the batches that are predicted.
        task: the dataset's.
        matching: what a span is compared by.
        match: the protocol's rule.
    """

    examples: Sequence[Example]
    task: TaskName
    matching: Matching
    match: Match

    def key(self, row: int, item: Item) -> Hashable:
        """What an item of an example has in common with all that count as the same."""
        rule = find_task(self.task).selection_match(self.match)
        return find_task(self.task).key(self.examples[row], item, self.matching, rule)

    def gold(self, row: int) -> list[Item]:
        """The gold items of an example."""
        return find_task(self.task).gold(self.examples[row])

    def f1(self, predictions: Sequence[Sequence[Prediction]]) -> float:
        """Micro F1 of the predictions of each example."""
        found = evaluate(self.examples, predictions, self.task, self.matching)
        rule = find_task(self.task).selection_match(self.match)
        return (found.partial if rule == "partial" else found.exact).f1
