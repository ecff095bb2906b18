"""The figures of a suite's report as numbers, for `report.json`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from reports.cells import ReadValue, Value, mean, values
from reports.comparison import accepted, f1_reader
from reports.differences import Differences
from reports.forms.schema import (
    BesideFigures,
    ComparedFigures,
    GroupFigures,
    Kind,
    MachineFigures,
    OverSeeds,
    PointFigures,
    ReportFigures,
    RowFigures,
)
from reports.load import AnyRow, Group, Results, Row
from reports.readings import (
    inference_bytes,
    metric_of,
    parameter_count,
    slice_f1,
    slice_names,
    training,
)
from reports.sections.caveats import warnings
from reports.sections.operating import READINGS, at_point, operating_rows, points_of, speed_up
from reports.times import Timed, latency, pass_time, time_to, training_time
from suite.tasks.metric import Metric, ScoredSplit

COUNTS: Mapping[str, ReadValue] = {
    "parameters": partial(parameter_count, which="total"),
    "parameters_without_word_vectors": partial(parameter_count, which="without vectors"),
    "parameters_trained": partial(parameter_count, which="trainable"),
    "chosen_epoch": partial(training, name="best_epoch"),
    "epochs": partial(training, name="epochs"),
    "steps_to_chosen_epoch": partial(training, name="steps_to_best"),
    "steps": partial(training, name="steps"),
}
"""Name of a figure that no machine changes -> how it is read."""
TRAINING_TIMES: Mapping[str, Timed] = {
    "seconds_to_chosen_epoch": training_time("seconds_to_best"),
    "training_seconds": training_time("training_seconds"),
    "dev_evaluation_seconds": training_time("evaluation_seconds"),
    "median_step_seconds": training_time("step_seconds"),
    "encoding_seconds": training_time("encode_seconds"),
    "training_peak_memory_bytes": training_time("peak_memory_bytes"),
}
AT_POINTS: Mapping[str, str] = {
    "dev F1": "dev_f1_percent",
    "test F1": "test_f1_percent",
    "difference": "test_f1_to_full_depth_points",
    "layers": "mean_layers",
    "speed-up by layers": "speed_up_by_layers",
    "speed-up": "speed_up_in_wall_clock",
    "milliseconds": "test_set_milliseconds",
}
"""What is read of an operating point -> its name."""


def report_figures(results: Results, compared: Mapping[str, Differences]) -> ReportFigures:
    """The figures of a suite's report.

    Args:
        results: an output folder, read.
        compared: key of each group -> its differences.
    """
    lines = warnings(results).splitlines()
    return ReportFigures(
        suite=results.plan.name,
        version=results.plan.version,
        created=results.plan.created,
        warnings=tuple(line.removeprefix("- ") for line in lines if line.startswith("- ")),
        groups=tuple(_group(group, compared[group.key]) for group in results.groups),
    )


def _group(group: Group, compared: Differences) -> GroupFigures:
    facts = group.dataset
    return GroupFigures(
        key=group.key,
        title=group.title,
        dataset=facts.name,
        task=facts.task,
        synthetic=facts.synthetic,
        published_splits=dict(facts.published),
        matching=facts.matching,
        match=group.match,
        protocol=group.first.protocol.digest(),
        rows=tuple(_row(group, row) for row in group.scored),
        machines=tuple(map(_machine, group.machines)),
        comparisons=tuple(_compared(group, compared)),
        published=tuple(_beside(group)),
    )


def _row(group: Group, row: AnyRow) -> RowFigures:
    figures = dict(_scores(group, row))
    kind: Kind = "outside"
    if isinstance(row, Row):
        kind = "system" if row.upper_bound is None else "upper bound"
        figures |= {name: _over_seeds(values(row, read)) for name, read in COUNTS.items()}
    families = {name for run in group.runs if run.record.test for name in run.record.test.slices}
    return RowFigures(
        label=row.label,
        system=row.name if isinstance(row, Row) else row.record.name,
        kind=kind,
        figures=figures,
        slices={
            family: {
                name: _over_seeds(values(row, partial(slice_f1, family=family, name=name)))
                for name in slice_names(group, family)
            }
            for family in sorted(families)
        },
    )


def _scores(group: Group, row: AnyRow) -> Iterator[tuple[str, OverSeeds]]:
    """All metrics of the task, also those for which the main table has no column."""
    splits: tuple[ScoredSplit, ...] = ("dev", "test")
    for metric in group.task.metrics:
        for split in ("dev",) if metric.fitted else splits:
            found = values(row, partial(metric_of, metric=metric, split=split))
            yield _named(metric, split), _over_seeds(found)


def _named(metric: Metric, split: ScoredSplit) -> str:
    name = metric.column if metric.fitted else f"{split}_{metric.column}"
    return f"{name}_percent" if metric.share else name


def _machine(part: Group) -> MachineFigures:
    environment = part.environment
    return MachineFigures(
        processor=environment.processor,
        device=environment.device,
        threads=part.first.protocol.threads,
        times={row.label: _times(part, row) for row in part.rows},
        operating_points=tuple(_points(part)),
    )


def _times(part: Group, row: Row) -> dict[str, OverSeeds]:
    timed = dict(TRAINING_TIMES)
    timed |= {
        f"seconds_to_dev_f1_{100 * float(target):g}_percent": time_to(target)
        for target in _targets(part)
    }
    stages = {stage for run in part.runs for c in run.record.inference for stage in c.stages}
    memory = {}
    for size in part.batch_sizes:
        start = f"inference_batch_{size}"
        for stage in sorted(stages):
            for which, name in (("median", "median"), ("p95", "95th_percentile")):
                timed[f"{start}_{stage}_milliseconds_per_{part.unit}_{name}"] = latency(
                    size, stage, which
                )
        timed[f"{start}_test_set_seconds"] = pass_time(size)
        read = partial(inference_bytes, batch_size=size)
        memory[f"{start}_peak_memory_bytes"] = _over_seeds(values(row, read))
    return {name: _timed(row, one) for name, one in timed.items()} | memory


def _targets(part: Group) -> list[str]:
    """The marks of dev F1 for which the time was taken."""
    costs = [run.record.training for run in part.runs if run.record.training]
    return list(dict.fromkeys(target for cost in costs for target in cost.seconds_to_target))


def _points(part: Group) -> Iterator[PointFigures]:
    for row in operating_rows(part):
        for point in points_of(row):
            shared = sum(way.shared for way in speed_up(point).ways(row))
            found = {name: at_point(row, point, name) for name in READINGS}
            yield PointFigures(
                label=row.label,
                rule=point.rule or None,
                threshold=point.value if point.rule else None,
                figures={AT_POINTS[name]: _over_seeds(v, shared) for name, v in found.items()},
            )


def _compared(group: Group, compared: Differences) -> Iterator[ComparedFigures]:
    for (first, second, _, found), adjusted in zip(compared.pairs, compared.adjusted, strict=True):
        yield ComparedFigures(
            first=first.label,
            second=second.label,
            match=group.match,
            difference_f1_points=100 * found.value,
            low_f1_points=100 * found.low,
            high_f1_points=100 * found.high,
            counts_seeds=found.counts_seeds,
            p=None if found.p is None or math.isnan(found.p) else found.p,
            p_holm=None if adjusted is None or math.isnan(adjusted) else adjusted,
        )


def _beside(group: Group) -> Iterator[BesideFigures]:
    for row, figure in accepted(group):
        average = mean(values(row, f1_reader(figure)))
        printed = figure.numbers["f1"]
        yield BesideFigures(
            label=row.label,
            source=figure.source,
            table=figure.table,
            split=figure.split,
            match=figure.match,
            encoder=figure.encoder,
            published_f1_percent=printed,
            difference_f1_points=None if average is None else average - printed,
        )


def _timed(row: Row, timed: Timed) -> OverSeeds:
    return _over_seeds(timed.of(row), sum(way.shared for way in timed.ways(row)))


def _over_seeds(found: Mapping[int, Value], shared: int = 0) -> OverSeeds:
    numbers = {
        seed: float(value)
        for seed, value in found.items()
        if not isinstance(value, str) and math.isfinite(value)
    }
    reasons = {s: v if isinstance(v, str) else "no finite number" for s, v in found.items()}
    whole = list(numbers.values()) if len(numbers) == len(found) else []
    return OverSeeds(
        mean=float(np.mean(whole)) if whole else None,
        standard_deviation=float(np.std(whole, ddof=1)) if len(whole) > 1 else None,
        values=numbers,
        missing={seed: str(why) for seed, why in reasons.items() if seed not in numbers},
        shared=shared,
    )
