"""Records as tidy frames: one row per run in `results.csv`, per point in `operating.csv`."""

from __future__ import annotations

import statistics
from typing import Any

import pandas as pd

from reports.load import Results
from reports.run_files import OutsideRun, RecordedRun
from reports.sections.operating import Point, read_point
from suite.records.energy import Energy
from suite.records.outside import NOT_TRAINED
from suite.records.run import InferenceCost, SwappedTest
from suite.tasks.registry import find_task
from suite.tasks.scores import Evaluation, Scores
from suite.tasks.task import Task


def _scores(prefix: str, scores: Scores) -> dict[str, Any]:
    return {
        f"{prefix}_precision": scores.precision,
        f"{prefix}_recall": scores.recall,
        f"{prefix}_f1": scores.f1,
        f"{prefix}_correct": scores.correct,
        f"{prefix}_predicted": scores.predicted,
        f"{prefix}_gold": scores.gold,
    }


def _counts(prefix: str, scores: Scores) -> dict[str, Any]:
    return {f"{prefix}_{name}": count for name, count in scores.model_dump().items()}


def _evaluation(prefix: str, evaluation: Evaluation, task: Task[Any, Any]) -> dict[str, Any]:
    """The task's metrics, the counts that they are made of, and F1 by slice."""
    metrics = {f"{prefix}_{m.column}": m.of(evaluation) for m in task.metrics if not m.fitted}
    sliced = {
        f"{prefix}_{family}_{name}_f1": scores.f1
        for family, slices in evaluation.slices.items()
        if family != "relation"  # as many columns as relations would drown the rest
        for name, scores in slices.items()
    }
    return {
        **metrics,
        **_counts(f"{prefix}_partial", evaluation.partial),
        **_counts(f"{prefix}_exact", evaluation.exact),
        **sliced,
    }


def _inference(cost: InferenceCost) -> dict[str, Any]:
    prefix = f"inference_batch{cost.batch_size}"
    return {
        f"{prefix}_failure": cost.failure,
        f"{prefix}_total_seconds": cost.total_seconds,
        f"{prefix}_passes": cost.passes,
        f"{prefix}_sentences": cost.sentences,
        f"{prefix}_peak_memory_bytes": cost.peak_memory_bytes,
        **{
            f"{prefix}_{stage}_ms_{part}": getattr(latency, part)
            for stage, latency in cost.stages.items()
            for part in ("median", "p95")
        },
        f"{prefix}_alone": cost.alone,
        f"{prefix}_node": cost.node,
        f"{prefix}_processor": cost.place.processor if cost.place else None,
        f"{prefix}_load_average": max(cost.load_average) if cost.load_average else None,
        **_energy(prefix, cost.energy),
    }


def _swapped(found: SwappedTest) -> dict[str, Any]:
    """Scores with other names, and with their own on the same examples."""
    row: dict[str, Any] = {
        "swapped_names": found.names,
        "swapped_examples": found.swapped,
        "swapped_failure": found.failure,
    }
    for which, evaluation in (("before", found.before), ("after", found.after)):
        if evaluation is not None:
            row |= _scores(f"swapped_{which}_partial", evaluation.partial)
            row |= _scores(f"swapped_{which}_exact", evaluation.exact)
    return row


def _energy(prefix: str, energy: Energy | None) -> dict[str, Any]:
    """Joules by part, of training or of all passes of a measurement; none where none is known."""
    if energy is None:
        return {}
    told = energy.model_dump()
    told["energy_failure"] = told.pop("failure")
    return {f"{prefix}_{name}": value for name, value in told.items()}


def _row(run: RecordedRun, key: str, label: str) -> dict[str, Any]:
    record = run.record
    task = find_task(record.dataset.task)
    row: dict[str, Any] = {
        "system": record.system.name,
        "variant": record.system.variant,
        "dataset": record.dataset.name,
        "seed": record.seed,
        "status": record.status,
        "failure": record.failure,
        "title": label,
        "table": key,
        "synthetic": record.dataset.synthetic,
        "settings": record.protocol.settings,
        "protocol": record.protocol.digest(),
        "task": record.dataset.task,
        "selection_match": task.selection_match(record.protocol.match),
        "matching": record.dataset.matching,
        "vectors": record.system.vectors,
        "vector_coverage": record.system.vector_coverage,
        "pretrained": record.system.pretrained,
        "parser": record.system.parser,
        "upper_bound": record.system.upper_bound,
        "started": record.started,
        "machine": record.environment.machine,
        "node": record.node,
        "processor": record.environment.processor,
        "device": record.environment.device,
        "git": record.environment.git,
        "configuration": record.configuration,
        **{f"sha256_{split}": value for split, value in record.dataset.fingerprints.items()},
        **{f"published_{split}": value for split, value in record.dataset.published.items()},
    }
    for prefix, evaluation in (("dev", record.dev), ("test", record.test)):
        if evaluation is not None:
            row |= _evaluation(prefix, evaluation, task)
    if record.dev is not None:
        row |= {m.column: m.of(record.dev) for m in task.metrics if m.fitted}
    if record.swapped is not None:
        row |= _swapped(record.swapped)
    for split, evaluation in record.ceiling.items():
        row |= _scores(f"ceiling_{split}_partial", evaluation.partial)
        row |= _scores(f"ceiling_{split}_exact", evaluation.exact)
    if record.parameters is not None:
        row |= {f"parameters_{k}": v for k, v in record.parameters.model_dump().items()}
    if record.training is not None:
        cost = record.training.model_dump()
        start, end = cost.pop("load_average")
        targets = cost.pop("seconds_to_target")
        del cost["energy"]
        row |= {"training_" + name.removeprefix("training_"): value for name, value in cost.items()}
        row |= {"training_load_average_start": start, "training_load_average_end": end}
        row |= {f"training_seconds_to_f1_{target}": value for target, value in targets.items()}
        row |= _energy("training", record.training.energy)
    for measured in record.inference:
        row |= _inference(measured)
    return row


def _outside_row(run: OutsideRun, key: str, label: str) -> dict[str, Any]:
    """A file of predictions of a system that was not trained here."""
    record = run.record
    task = find_task(record.dataset.task)
    return {
        "system": record.name,
        "dataset": record.dataset.name,
        "seed": record.number,
        "status": NOT_TRAINED,
        "title": label,
        "table": key,
        "synthetic": record.dataset.synthetic,
        "task": record.dataset.task,
        "selection_match": task.selection_match(record.match),
        "matching": record.dataset.matching,
        "started": record.scored,
        "predictions_file": record.file,
        "predictions_sha256": record.sha256,
        **{
            f"predictions_{name}": value
            for name, value in record.brought.model_dump().items()
            if isinstance(value, int)
        },
        **{f"sha256_{split}": value for split, value in record.dataset.fingerprints.items()},
        **_evaluation("test", record.test, task),
    }


def results_frame(results: Results) -> pd.DataFrame:
    """One row per run, whatever became of it; scores are shares, costs carry their unit.

    Files of predictions follow, with their number for a seed and without costs.

    Columns that a run has no value for are empty; `table` names the group it was tabled with.
    """
    rows = [
        _row(run, group.key, row.label)
        for group in results.groups
        for row in group.rows
        for run in row.runs
    ]
    rows += [
        _outside_row(run, group.key, row.label)
        for group in results.groups
        for row in group.outside
        for run in row.runs
    ]
    return pd.DataFrame(rows).convert_dtypes()  # counts stay whole where some are empty


def _points(run: RecordedRun, key: str, label: str) -> list[dict[str, Any]]:
    """The run's operating points, or one row that says why there are none."""
    record = run.record
    if record.operating is None:
        return []
    who = {
        "system": record.system.name,
        "variant": record.system.variant,
        "dataset": record.dataset.name,
        "seed": record.seed,
        "title": label,
        "table": key,
        "failure": record.operating.failure,
        "alone": record.operating.alone,
        "node": record.operating.node,
    }
    if record.operating.failure:
        return [who]
    return [
        {
            **who,
            "rule": cost.rule or "full depth",
            "threshold": cost.value if cost.rule else None,
            "batch_size": cost.batch_size,
            **_scores("dev", cost.dev),
            **_scores("test", cost.test),
            "layers": cost.layers,
            "seconds_median": statistics.median(cost.seconds) if cost.seconds else None,
            "passes": len(cost.seconds),
            **{
                name: read_point(record, Point(cost.rule, cost.value), reading)
                for name, reading in (
                    ("speed_up_layers", "speed-up by layers"),
                    ("speed_up_wall_clock", "speed-up"),
                )
            },
        }
        for cost in record.operating.points
    ]


def operating_frame(results: Results) -> pd.DataFrame:
    """One row per operating point of a run; scores are shares. Empty where none was measured."""
    rows = [
        point
        for group in results.groups
        for row in group.rows
        for run in row.runs
        for point in _points(run, group.key, row.label)
    ]
    return pd.DataFrame(rows).convert_dtypes()
