"""What tables and figures alike read from a record."""

from __future__ import annotations

import re

from reports.cells import Value, megabytes
from reports.load import AnyRow, Group, Row
from reports.run_files import ON_ANOTHER_MACHINE, ScoredRecord
from suite.records.run import InferenceCost, RunRecord, TrainingCost
from suite.tasks.matching import Match
from suite.tasks.metric import Metric, ScoredSplit
from suite.tasks.scores import Evaluation

NOT_LABELLED = "not labelled"
"""What stands for a score of a test set that has no gold, such as DocRED's."""

NOTHING_TO_TRAIN = "none: nothing to train"
"""What stands for epochs and steps of a system that has no parameters."""
OF_EPOCHS = {"epochs", "best_epoch", "steps", "steps_to_best", "step_seconds"}
"""Fields of a training cost that such a system has not."""


def evaluation(record: ScoredRecord, split: ScoredSplit) -> Evaluation | str | None:
    """The scores of a split, or why there are none."""
    if split == "dev":
        return record.dev
    test = record.test
    return NOT_LABELLED if test is None or not test.exact.gold else test


def labelled(group: Group) -> bool:
    """Whether the test set has gold, as far as complete runs tell."""
    tests = [evaluation(run.record, "test") for run in group.runs if run.complete]
    return not tests or any(isinstance(test, Evaluation) for test in tests)


def f1_of(record: ScoredRecord, match: Match, split: ScoredSplit = "test") -> Value | None:
    """F1 in per cent, or why there is none."""
    found = evaluation(record, split)
    return 100 * found.under(match).f1 if isinstance(found, Evaluation) else found


def metric_of(record: ScoredRecord, metric: Metric, split: ScoredSplit) -> Value | None:
    """A metric of a split, shares in per cent, or why there is none."""
    found = evaluation(record, split)
    if not isinstance(found, Evaluation):
        return found
    value = metric.of(found)
    return 100 * value if metric.share and value is not None else value


def training(record: RunRecord, name: str, factor: float = 1.0) -> Value | None:
    """A field of the training cost, times `factor`, or why there is none."""
    found = training_cost(record)
    if name in OF_EPOCHS and _is_bare(found):
        return NOTHING_TO_TRAIN
    return factor * getattr(found, name) if isinstance(found, TrainingCost) else found


def training_cost(record: RunRecord) -> TrainingCost | str | None:
    """What training took; a complete run has it where it was trained, and nowhere else."""
    if record.training is None and record.status == "complete":
        return ON_ANOTHER_MACHINE
    return record.training


def trains_nothing(row: AnyRow) -> bool:
    """Whether a row's system, run by this suite, has nothing to train."""
    return isinstance(row, Row) and any(_is_bare(training_cost(r.record)) for r in row.complete)


def _is_bare(cost: TrainingCost | str | None) -> bool:
    return isinstance(cost, TrainingCost) and not cost.epochs


def seconds_to(record: RunRecord, target: str) -> Value | None:
    """Seconds of training and dev evaluation until a dev F1 was reached, or why there are none."""
    found = training_cost(record)
    if not isinstance(found, TrainingCost):
        return found
    if target not in found.seconds_to_target:
        return None
    seconds = found.seconds_to_target[target]
    return "not reached" if seconds is None else seconds


def inference(record: RunRecord, batch_size: int) -> InferenceCost | str | None:
    """The costs at one batch size, or why there are none."""
    for cost in record.inference:
        if cost.batch_size == batch_size:
            return cost if cost.failure is None else cost.failure
    return None


def milliseconds(
    record: RunRecord, batch_size: int, stage: str = "total", part: str = "median"
) -> Value | None:
    """Inference time per example, median or `p95` over batches, or why there is none."""
    cost = inference(record, batch_size)
    if not isinstance(cost, InferenceCost):
        return cost
    return getattr(cost.stages[stage], part) if stage in cost.stages else None


def pass_seconds(record: RunRecord, batch_size: int) -> Value | None:
    """Seconds of a pass over the test set, or why there are none."""
    cost = inference(record, batch_size)
    return cost.total_seconds if isinstance(cost, InferenceCost) else cost


def inference_bytes(record: RunRecord, batch_size: int) -> Value | None:
    """Peak memory of inference in bytes, or why it is not known."""
    cost = inference(record, batch_size)
    return cost.peak_memory_bytes if isinstance(cost, InferenceCost) else cost


def inference_mebibytes(record: RunRecord, batch_size: int) -> Value | None:
    """Peak memory of inference in MiB, or why it is not known."""
    found = inference_bytes(record, batch_size)
    return found if found is None or isinstance(found, str) else megabytes(found)


def parameter_count(record: RunRecord, which: str) -> float | None:
    """How many parameters a system has: a field of `Parameters`, or those `without vectors`."""
    counts = record.parameters
    if counts is None:
        return None
    if which == "without vectors":
        return counts.total - counts.word_vectors
    return float(getattr(counts, which))


def slice_f1(record: ScoredRecord, family: str, name: str) -> Value | None:
    """Test F1 of a slice in per cent, or why there is none."""
    test = evaluation(record, "test")
    if not isinstance(test, Evaluation):
        return test
    if family not in test.slices:
        return None
    scores = test.slices[family].get(name)
    if scores is None or not scores.gold:
        return "no gold"
    return 100 * scores.f1


_FIRST = ("normal", "seen", "flat", "in a sentence")


def _natural(name: str) -> tuple[int, float, str]:
    """Orders the plain slice first and `over 60` last, and numbered ones by their number."""
    digits = re.match(r"\d+", name)
    return (
        0 if name in _FIRST else 2 if name.startswith("over") else 1,
        float(digits.group()) if digits else 0.0,
        name,
    )


def slice_names(group: Group, family: str) -> dict[str, int]:
    """The slices of a family with their gold items in test, in the order of print."""
    gold: dict[str, int] = {}
    for run in group.runs:
        test = evaluation(run.record, "test")
        if run.complete and isinstance(test, Evaluation):
            for name, scores in test.slices.get(family, {}).items():
                gold[name] = max(gold.get(name, 0), scores.gold)
    if family == "type":
        return dict(sorted(gold.items(), key=lambda named: (-named[1], named[0])))
    return {name: gold[name] for name in sorted(gold, key=_natural)}
