"""What is known of how a split was answered: counts, scores and slices, and each test example."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from suite.files import StrictModel
from suite.tasks.matching import Match


class Scores(StrictModel):
    """Micro precision, recall and F1 over sets; an empty denominator gives 0."""

    correct: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        """Share of the predicted that is gold."""
        return self.correct / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the gold that is predicted."""
        return self.correct / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.predicted + self.gold
        return 2 * self.correct / total if total else 0.0


class Evaluation(StrictModel):
    """The scores of one split under both match rules.

    Attributes:
        partial, exact: over the whole split.
        slices: slice family (`overlap`, `count`, `length`, `relation`, `type`, `nested`,
            `distance`, `seen`) -> slice -> scores under the rule that selects.
        measures: metric -> value, of those that counts alone do not give (`Metric.of_ranking`).
    """

    partial: Scores
    exact: Scores
    measures: dict[str, float] = Field(default_factory=dict)
    slices: dict[str, dict[str, Scores]] = Field(default_factory=dict)

    def under(self, match: Match) -> Scores:
        """The scores under a match rule."""
        return self.exact if match == "exact" else self.partial


class AnsweredExample(StrictModel):
    """One line of `predictions.jsonl`: a test example and how it was answered.

    Attributes:
        gold, predicted: of triples, head, relation and tail in words, then both spans in word
            offsets where the words have a place; of entities, words, type and span; of facts, head,
            relation and tail in words, then the index of both entities. Of a predicted one, its
            score last.
        repeats: gold that its file names again, once for each time; counted by no score here.
        correct: match rule -> how many of `predicted` are gold; the sets' sizes stand beside it,
            duplicates under that rule collapsed.
        known_gold, known_predicted: of each of `gold` and `predicted`, how well train knew it
            (`Task.familiarity`); empty where train was not at hand.
    """

    id: str
    text: str
    gold: list[list[Any]]
    predicted: list[list[Any]]
    correct: dict[str, Scores]
    repeats: list[list[Any]] = Field(default_factory=list)
    known_gold: list[str] = Field(default_factory=list)
    known_predicted: list[str] = Field(default_factory=list)
