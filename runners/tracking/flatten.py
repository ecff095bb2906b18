"""Epochs and records as flat values under the names that every tracker shows, and a run's id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runners.tracking.base import PROJECT, Tracked
from suite.records.run import Epoch, RunRecord
from suite.tasks.metric import Metric
from suite.tasks.registry import find_task
from suite.tasks.scores import AnsweredExample, Evaluation, Scores

AXES = ("epoch", "step", "seconds")
"""What curves can be drawn against; each is in every row of the history."""
ANSWERS = ("id", "gold", "predicted", "correct_partial", "correct_exact")
"""Columns of the table of test answers."""


class Summary(NamedTuple):
    """How a run ended, for trackers whose tables show the last value of each curve.

    Attributes:
        step: training steps in all, at which the numbers stand.
        seconds: wall clock of training in all, evaluation excluded.
        numbers: name -> value; dev scores are `selected/dev/...`, for `dev/...` is their curve.
        words: name -> what is said in words.
    """

    step: int
    seconds: float
    numbers: dict[str, float]
    words: dict[str, str]


def run_id(run: Tracked) -> str:
    """Sixteen hexadecimal digits that a run and its resumption share."""
    names = {"project": PROJECT, "group": run.group, "name": run.name, "job_type": run.job_type}
    text = json.dumps([names, dict(run.config)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def history_row(epoch: Epoch, metrics: Sequence[Metric]) -> dict[str, float]:
    """An epoch as flat metrics: the axes, `train/...`, `time/...` and `dev/<metric>`."""
    return {
        "epoch": epoch.epoch,
        "step": epoch.step,
        "seconds": epoch.seconds,
        "train/loss": epoch.loss,
        **{f"train/{name}": value for name, value in {**epoch.parts, **epoch.measures}.items()},
        "train/gradient_norm": epoch.gradient_norm,
        "train/learning_rate": epoch.learning_rate,
        "time/evaluation_seconds": epoch.evaluation_seconds,
        "time/step_seconds": epoch.step_seconds,
        **{f"dev/{name}": value for name, value in _metrics(epoch.dev, metrics).items()},
    }


def answer_rows(answers: Sequence[AnsweredExample]) -> list[list[str | int]]:
    """Rows of `ANSWERS`: how many items each test example has, and how many were found.

    Ids and counts alone: whoever uploads the table passes on no sentence of a corpus that they may
    not, or of their own. `predictions.jsonl` has the words.
    """
    found: list[list[str | int]] = []
    for answer in answers:
        partial, exact = answer.correct["partial"], answer.correct["exact"]
        found.append([answer.id, exact.gold, exact.predicted, partial.correct, exact.correct])
    return found


def summary(record: RunRecord) -> dict[str, Any]:
    """A record as flat values; what was not measured is not there."""
    splits = {"dev": record.dev, "test": record.test}
    metrics = find_task(record.dataset.task).metrics
    values: dict[str, Any] = {
        "status": record.status,
        "failure": record.failure,
        "parameters": record.parameters and record.parameters.model_dump(),
        "cost": record.training and record.training.model_dump(),
        "inference": {str(c.batch_size): c.model_dump() for c in record.inference},
        "ceiling": {split: _matches(e) for split, e in record.ceiling.items()},
    }
    for split, evaluation in splits.items():
        if evaluation is not None:
            slices = {
                family: {name: _triple(scores) for name, scores in members.items()}
                for family, members in evaluation.slices.items()
            }
            values[split] = {**_metrics(evaluation, metrics), **slices}
    return flat(values)


def final(record: RunRecord) -> Summary:
    """The summary of a record as numbers at its last step, and words."""
    numbers: dict[str, float] = {}
    words: dict[str, str] = {}
    for name, value in summary(record).items():
        shown = f"selected/{name}" if name.startswith("dev/") else name
        if isinstance(value, int | float) and not isinstance(value, bool):
            numbers[shown] = value
        else:
            words[shown] = str(value)
    cost = record.training
    return Summary(
        step=cost.steps if cost else 0,
        seconds=cost.training_seconds if cost else 0.0,
        numbers=numbers,
        words=words,
    )


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values by their path; what is None is not there."""
    return {key: value for name, part in values.items() for key, value in _flat(name, part)}


def _metrics(evaluation: Evaluation, metrics: Sequence[Metric]) -> dict[str, float]:
    """Name -> value of the metrics that the evaluation holds."""
    found = {metric.name: metric.of(evaluation) for metric in metrics}
    return {name: value for name, value in found.items() if value is not None}


def _matches(evaluation: Evaluation) -> dict[str, dict[str, float]]:
    return {"partial": _triple(evaluation.partial), "exact": _triple(evaluation.exact)}


def _triple(scores: Scores) -> dict[str, float]:
    return {"f1": scores.f1, "precision": scores.precision, "recall": scores.recall}


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}/{key}", inner)
    elif value is not None:
        yield name, value
