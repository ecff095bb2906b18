"""Measured figures beside published ones, where the data allow it, and all published rows apart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from reports.cells import (
    ReadValue,
    Value,
    add_row,
    cell,
    markdown,
    mean,
    number,
    seeds_cell,
    values,
)
from reports.comparison import accepted, encoder_here, f1_reader, refusals
from reports.load import Group, Row
from reports.readings import metric_of
from suite.studies.figures import Figure
from suite.studies.published import published_figures, same_texts

COLUMNS = {
    "precision": "P (%)",
    "recall": "R (%)",
    "theta": "theta",
    "f1": "F1 (%)",
    "ign_f1": "Ign F1 (%)",
    "auc": "AUC (%)",
    "ign_auc": "Ign AUC (%)",
    "best_epoch": "Best epoch",
    "best_epoch_f1": "Best epoch F1 (%)",
    "best_epoch_auc": "Best epoch AUC (%)",
    "train_minutes": "Training (min)",
    "inference_seconds": "Inference (s), batch not stated",
}
"""Measure -> its column among the published rows of a dataset."""


def beside_published(group: Group) -> str:
    """Measured and published F1 side by side where the data allow it; else the reason."""
    by_rule, by_measure = _tables_by_rule(group), _table_by_measure(group)
    tables = by_rule + by_measure
    text = "#### Beside the published figures\n\n"
    if by_rule:
        text += (
            "Same published train and test splits, same form of the data, same match rule; encoder "
            "and protocol may differ and are named.\n\n"
        )
    elif by_measure:
        text += "Same published splits; encoder, batch and protocol may differ and are named.\n\n"
    return text + "".join(f"{t}\n" for t in tables) + "".join(f"- {s}\n" for s in refusals(group))


def _difference(found: dict[int, Value], published: float) -> str:
    average = mean(found)
    return "-" if average is None else number(average - published, 1)


def _tables_by_rule(group: Group) -> list[str]:
    """A table for each match rule."""
    found = []
    for match in group.rules:
        table: dict[str, list[str]] = {}
        for row, figure in accepted(group):
            if figure.match == match:
                add_row(table, _cells(row, figure))
        if table:
            found.append(markdown(table))
    return found


def _cells(row: Row, figure: Figure) -> dict[str, str]:
    found = values(row, f1_reader(figure))
    return {
        "System": row.label,
        "Seeds": seeds_cell(row),
        f"F1 here, {figure.match} (%)": cell(found, digits=1),
        f"F1 published, {figure.match} (%)": figure.printed("f1"),
        "Difference": _difference(found, figure.numbers["f1"]),
        "Published in": f"{figure.source}, {figure.table}",
        "Run by": figure.origin or "its authors",
        "Encoder there": figure.encoder,
        "Encoder here": encoder_here(row),
    }


def _table_by_measure(group: Group) -> list[str]:
    """Of a task with one match rule: a row of the table for each measure that is printed."""
    table: dict[str, list[str]] = {}
    for row, figure in accepted(group):
        if figure.match is not None:
            continue
        readers: dict[str, tuple[str, ReadValue]] = {"f1": ("F1", f1_reader(figure))}
        for metric in group.task.metrics:
            if metric.name in figure.numbers and not metric.fitted:
                own = partial(metric_of, metric=metric, split=figure.split)
                readers[metric.name] = metric.heading, own
        for name, (title, read) in readers.items():
            if name in figure.numbers:
                cells = {"System": row.label, "Measure": f"{figure.split} {title}"}
                cells |= _measure_cells(group, row, figure, name, values(row, read))
                add_row(table, cells)
    return [markdown(table)] if table else []


def _measure_cells(
    group: Group, row: Row, figure: Figure, name: str, found: dict[int, Value]
) -> dict[str, str]:
    batch = group.first.protocol.examples_per_step(group.dataset.task)
    return {
        "Seeds": seeds_cell(row),
        "Here (%)": cell(found, digits=1),
        "Published (%)": figure.printed(name),
        "Difference": _difference(found, figure.numbers[name]),
        "Published in": f"{figure.source}, {figure.table}",
        "Batch there": _optional(figure.batch_size),
        "Batch here": str(batch),
        "Encoder there": figure.encoder,
        "Encoder here": encoder_here(row),
    }


def _optional(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _shown(figure: Figure, name: str) -> str:
    """A number of a published row, with the digits of the paper."""
    value = figure.numbers.get(name)
    if name == "theta" and value is not None:
        return f"{value:.4f}"
    return figure.printed(name) if COLUMNS[name].endswith("(%)") else _optional(value)


def published_table(figures: Sequence[Figure]) -> str:
    """Published rows, each with all that a comparison needs; no column that none of them has."""
    table = {
        "Published row": [f.row for f in figures],
        "Source": [f"{f.source}, {f.table}" for f in figures],
        "Run by": [f.origin or "its authors" for f in figures],
        "Encoder": [f.encoder for f in figures],
    }
    if any(f.form for f in figures):
        table["Entities"] = [f.form or "-" for f in figures]
    if any(f.match for f in figures):
        table["Match"] = [f.match or "-" for f in figures]
    if any(f.batch_size for f in figures):
        table["Batch"] = [_optional(f.batch_size) for f in figures]
    if any(f.train_share < 1 for f in figures):
        table["Train (%)"] = [f"{100 * f.train_share:g}" for f in figures]
    if any(f.split != "test" for f in figures):
        table["Split"] = [f.split for f in figures]
    for name, heading in COLUMNS.items():
        if any(name in f.numbers for f in figures):
            table[heading] = [_shown(f, name) for f in figures]
    if any(f.device for f in figures):
        table["Device"] = [f.device or "-" for f in figures]
    return markdown(table)


def _published_on(group: Group) -> str:
    """All published rows of a dataset; nothing where there is none."""
    name = group.dataset.name
    heading = f"### {name}, as published\n\n"
    scores = [figure for figure in published_figures() if "f1" in figure.numbers]
    own = [figure for figure in scores if figure.dataset == name]
    if own:
        return heading + published_table(own)
    other = same_texts(name)
    shown = [figure for figure in scores if figure.dataset == other]
    if not shown:
        return ""
    heading += (
        f"These rows are on `{other}`, whose texts {group.dataset.title} annotates anew: its gold "
        "is another, so that none of them may be held against a figure of it.\n\n"
    )
    return heading + published_table(shown)


def published_section(groups: Sequence[Group]) -> str:
    """All published rows on these datasets, apart from what was measured."""
    by_name = {group.dataset.name: group for group in groups}
    parts = [part for part in map(_published_on, by_name.values()) if part]
    if not parts:
        return "This suite knows no published figure on these datasets.\n"
    return (
        "Copied from the papers for orientation; none of these rows was measured here, and which "
        "of them the measured figures may be held against is said in *Main results*.\n\n"
    ) + "\n".join(parts)
