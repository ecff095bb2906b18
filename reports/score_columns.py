"""The columns of the main table: one per metric and split for which its task declares one."""

from __future__ import annotations

from functools import partial

from reports.cells import cell, values
from reports.load import AnyRow, Group
from reports.readings import metric_of
from suite.tasks.metric import Metric, ScoredSplit


def shown_columns(group: Group) -> dict[str, tuple[Metric, ScoredSplit]]:
    """Heading -> the metric and the split that it is of.

    Dev stands before test, and what was fitted on dev after both. Where all columns are of test,
    headings do not name it.
    """
    metrics = group.task.metrics
    named = any("dev" in metric.columns and not metric.fitted for metric in metrics)
    found: dict[str, tuple[Metric, ScoredSplit]] = {}
    splits: tuple[ScoredSplit, ...] = ("dev", "test")
    for split in splits:
        for metric in metrics:
            if split in metric.columns and not metric.fitted:
                found[_heading(group, metric, f"{split} " if named else "")] = metric, split
    for metric in metrics:
        if metric.fitted and metric.columns:
            found[_heading(group, metric, "")] = metric, "dev"
    return found


def _heading(group: Group, metric: Metric, split: str) -> str:
    name = metric.heading.format(matching=group.dataset.matching)
    return f"{split}{name}{' (%)' if metric.share else ''}"


def score_columns(group: Group, row: AnyRow) -> dict[str, str]:
    """Heading -> cell: what the main table shows of a row's scores."""
    return {
        heading: cell(values(row, partial(metric_of, metric=metric, split=split)), metric.digits)
        for heading, (metric, split) in shown_columns(group).items()
    }


def meaning(group: Group) -> str:
    """What the columns of the main table mean, each sentence once."""
    shown = {id(metric) for metric, _ in shown_columns(group).values()}
    sentences = [metric.sentence for metric in group.task.metrics if id(metric) in shown]
    return " ".join(filter(None, [*dict.fromkeys(sentences), group.task.closing]))
