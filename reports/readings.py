"""What tables and figures alike read from a record."""

from __future__ import annotations

import re

from reports.cells import Value
from reports.load import Group
from suite.protocol import Match
from suite.records import InferenceCost, RunRecord


def f1_on_test(record: RunRecord, match: Match) -> Value | None:
    """Test F1 in per cent."""
    return None if record.test is None else 100 * getattr(record.test, match).f1


def training(record: RunRecord, name: str, factor: float = 1.0) -> Value | None:
    """A field of the training cost, times `factor`."""
    return None if record.training is None else factor * getattr(record.training, name)


def inference(record: RunRecord, batch_size: int) -> InferenceCost | str | None:
    """The costs at one batch size, or why there are none."""
    for cost in record.inference:
        if cost.batch_size == batch_size:
            return cost if cost.failure is None else cost.failure
    return None


def milliseconds(
    record: RunRecord, batch_size: int, stage: str = "total", part: str = "median"
) -> Value | None:
    """Inference time a sentence, median or `p95` over batches, or why there is none."""
    cost = inference(record, batch_size)
    if not isinstance(cost, InferenceCost):
        return cost
    return getattr(cost.stages[stage], part) if stage in cost.stages else None


def slice_f1(record: RunRecord, family: str, name: str) -> Value | None:
    """Test F1 of a slice in per cent, or why there is none."""
    if record.test is None:
        return None
    scores = record.test.slices.get(family, {}).get(name)
    if scores is None or not scores.gold:
        return "no gold"
    return 100 * scores.f1


def _natural(name: str) -> tuple[int, float, str]:
    """Orders `normal` first and `over 60` last, and what begins with a number by that number."""
    digits = re.match(r"\d+", name)
    return (
        0 if name in ("normal", "seen") else 2 if name.startswith("over") else 1,
        float(digits.group()) if digits else 0.0,
        name,
    )


def slice_names(group: Group, family: str) -> dict[str, int]:
    """The slices of a family with their gold items in test, in the order of print."""
    gold: dict[str, int] = {}
    for run in group.runs:
        if run.complete and run.record.test is not None:
            for name, scores in run.record.test.slices.get(family, {}).items():
                gold[name] = max(gold.get(name, 0), scores.gold)
    return {name: gold[name] for name in sorted(gold, key=_natural)}
