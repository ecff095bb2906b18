"""Scores a system on a split, as its task asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor

from runners.runs.workbench import Workbench
from suite.datasets import Split
from suite.modelling.batch import Batch
from suite.modelling.batching import evaluation_batches
from suite.modelling.device import autocast
from suite.modelling.fact_scores import facts_from
from suite.systems.capabilities import ScoresFacts
from suite.systems.contract import System, predict
from suite.tasks.examples import Document
from suite.tasks.items import Prediction
from suite.tasks.ranking import Ranking, rank
from suite.tasks.reference import Reference
from suite.tasks.registry import find_task
from suite.tasks.scores import AnsweredExample, Evaluation
from suite.tasks.scoring import evaluate, evaluate_in_slices, graded


class EncodedSplit:
    """A split as it is scored: uncut gold, and the encoded words to predict from."""

    def __init__(
        self, system: System, bench: Workbench, split: Split, device: torch.device
    ) -> None:
        self.gold = split.examples
        seen = bench.examples(split)
        encoded = system.encode(seen)
        self.lengths = encoded.lengths
        self.encoded: Batch = encoded.to(device)
        self._size = find_task(bench.dataset.task).evaluation_batch

    @cached_property
    def batches(self) -> list[tuple[Tensor, Batch]]:
        """Evaluation batches with the examples they hold."""
        return [
            (rows, self.encoded.select(rows.to(self.encoded.lengths.device)))
            for rows in evaluation_batches(self.lengths, self._size)
        ]


class DevAnswers(NamedTuple):
    """What a system predicts on dev.

    Attributes:
        graded: predictions by their score, with whether they are right.
        outcomes: of each example.
    """

    graded: list[tuple[float, bool]]
    outcomes: list[AnsweredExample]


class Tested(NamedTuple):
    """What a system did on test; no evaluation of documents that are not labelled."""

    evaluation: Evaluation | None
    outcomes: list[AnsweredExample]
    predictions: list[list[Prediction]]


class Evaluator:
    """Predicts and scores; on documents by the ranking of all their facts."""

    def __init__(self, system: System, bench: Workbench, device: torch.device) -> None:
        self.system, self.bench, self.device = system, bench, device
        self.task, self.matching = find_task(bench.dataset.task), bench.dataset.matching

    def on_dev(self, split: EncodedSplit) -> Evaluation:
        """Fits what is fitted on dev and scores it."""
        self.system.eval()
        if self.task.ranked:
            scores = self._fact_scores(split)
            ranking = self._rank(split, scores)
            theta = ranking.theta()
            assert isinstance(self.system, ScoresFacts)
            self.system.decide_at(theta)
            found = evaluate(split.gold, self._facts(scores, theta), self.task.name, self.matching)
            return found.model_copy(update={"measures": self._measures(ranking, theta)})
        order = [i for rows, _ in split.batches for i in rows.tolist()]
        reference = Reference(
            [split.gold[i] for i in order], self.task.name, self.matching, self.bench.protocol.match
        )
        with torch.inference_mode(), autocast(self.bench.protocol.precision, self.device):
            self.system.calibrate([batch for _, batch in split.batches], reference)
        return evaluate(split.gold, self.predict(split), self.task.name, self.matching)

    def answer_dev(self, split: EncodedSplit, theta: float | None) -> DevAnswers:
        """What the selected weights predict on dev, by the thresholds that were fitted on it.

        Args:
            split: dev.
            theta: that dev gave; None for tasks without one.
        """
        self.system.eval()
        if theta is None:
            found = self.predict(split)
        else:
            found = self._facts(self._fact_scores(split), theta)
        match, known = self.bench.protocol.match, self.bench.dataset.wordings_in_train
        _, outcomes = evaluate_in_slices(
            split.gold, found, self.task.name, self.matching, match, known
        )
        return DevAnswers(graded(split.gold, found, self.task.name, self.matching, match), outcomes)

    def on_test(self, split: EncodedSplit, theta: float | None) -> Tested:
        """Predicts and, where there is gold, scores with slices.

        Args:
            split: test.
            theta: that dev gave; None for tasks without one.
        """
        self.system.eval()
        if theta is None:
            return self._in_slices(split, self.predict(split), {})
        scores = self._fact_scores(split)
        measures = self._measures(self._rank(split, scores), theta)
        return self._in_slices(split, self._facts(scores, theta), measures)

    def _in_slices(
        self,
        split: EncodedSplit,
        predictions: list[list[Prediction]],
        measures: dict[str, float],
    ) -> Tested:
        match, known = self.bench.protocol.match, self.bench.dataset.wordings_in_train
        found, outcomes = evaluate_in_slices(
            split.gold,
            predictions,
            self.task.name,
            self.matching,
            match,
            known,
            self.bench.dataset.known_in_train,
        )
        labelled = not self.task.unlabelled_tests or found.exact.gold > 0
        evaluation = found.model_copy(update={"measures": measures}) if labelled else None
        return Tested(evaluation, outcomes, predictions)

    def ceiling(self, split: EncodedSplit) -> Evaluation:
        """What the system's targets give back when they are scored perfectly."""
        best: list[list[Prediction]] = [[] for _ in split.gold]
        for rows, batch in split.batches:
            for i, found in zip(rows.tolist(), self.system.ceiling(batch), strict=True):
                best[i] = found
        return evaluate(split.gold, best, self.task.name, self.matching)

    def predict(self, split: EncodedSplit) -> list[list[Prediction]]:
        """Predictions in the order of the split."""
        predictions: list[list[Prediction]] = [[] for _ in split.gold]
        with torch.inference_mode(), autocast(self.bench.protocol.precision, self.device):
            for rows, batch in split.batches:
                for i, found in zip(rows.tolist(), predict(self.system, batch), strict=True):
                    predictions[i] = found
        return predictions

    def _fact_scores(self, split: EncodedSplit) -> list[Float[Tensor, "_ _ relations"]]:
        assert isinstance(self.system, ScoresFacts)  # or it was not found as a system of the task
        scores: list[Tensor] = [torch.empty(0)] * len(split.gold)
        with torch.inference_mode(), autocast(self.bench.protocol.precision, self.device):
            for rows, batch in split.batches:
                for i, found in zip(rows.tolist(), self.system.fact_scores(batch), strict=True):
                    scores[i] = found.cpu()
        return scores

    def _rank(self, split: EncodedSplit, scores: Sequence[Tensor]) -> Ranking:
        dataset = self.bench.dataset
        documents = cast(Sequence[Document], split.gold)
        numbers = [score.float().cpu().numpy() for score in scores]
        return rank(documents, numbers, dataset.schema.relations, dataset.wordings_in_train)

    def _facts(self, scores: Sequence[Tensor], theta: float) -> list[list[Prediction]]:
        return facts_from(scores, theta, self.bench.dataset.schema.relations)

    def _measures(self, ranking: Ranking, theta: float) -> dict[str, float]:
        """The metrics that no count of items gives."""
        return {
            metric.name: metric.of_ranking(ranking, theta)
            for metric in self.task.metrics
            if metric.of_ranking is not None
        }
