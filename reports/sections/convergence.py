"""How systems converge: curves, time to a fixed dev F1, iterations (FastRE, Figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from reports.cells import (
    Pictures,
    Value,
    add_row,
    cell,
    image,
    markdown,
    megabytes,
    run_values,
    seeds_cell,
    values,
)
from reports.load import Group
from reports.readings import training, training_cost
from reports.run_files import RecordedRun
from reports.sections.overview import caption, on_each_machine
from reports.times import shared_note, time_cell, time_to, training_time
from suite.records.run import RunRecord, TrainingCost


def iteration_table(group: Group) -> str:
    """Epochs, steps, the time of a step, memory and encoding; empty where nothing was trained."""
    if not any(run.trained_here for run in group.runs):
        return ""
    table: dict[str, list[str]] = {}
    for row in group.rows:
        cells = {"System": row.label, "Seeds": seeds_cell(row)}
        for heading, field, digits in (
            ("Chosen epoch", "best_epoch", 1),
            ("Epochs run", "epochs", 1),
            ("Steps to chosen epoch", "steps_to_best", 0),
            ("Steps in all", "steps", 0),
        ):
            cells[heading] = cell(values(row, partial(training, name=field)), digits)
        for heading, field, factor in (
            ("ms per step (median)", "step_seconds", 1000),
            ("Encoding train and dev (s)", "encode_seconds", 1),
        ):
            cells[heading] = time_cell(row, training_time(field, factor))
        cells["Peak memory (MiB)"] = cell(values(row, _memory), 0)
        add_row(table, cells)
    return markdown(table)


def _memory(record: RunRecord) -> Value | None:
    found = training_cost(record)
    return megabytes(found.peak_memory_bytes) if isinstance(found, TrainingCost) else found


def target_table(group: Group) -> str:
    """Seconds of training and dev evaluation until a dev F1 was first reached."""
    targets = dict.fromkeys(
        target
        for run in group.runs
        if run.record.training
        for target in run.record.training.seconds_to_target
    )
    if not targets:
        return ""
    table: dict[str, list[str]] = {}
    for row in group.rows:
        cells = {"System": row.label, "Seeds": seeds_cell(row)}
        for target in targets:
            heading = f"to dev F1 {100 * float(target):g} % (s)"
            cells[heading] = time_cell(row, time_to(target))
        add_row(table, cells)
    return (
        f"Seconds of training and dev evaluation until dev F1{_bracketed(group)} first reached "
        f"a mark fixed beforehand:\n\n{markdown(table)}"
    )


def _bracketed(group: Group) -> str:
    return f" ({group.match} match)" if group.rule else ""


ACCURACIES = {
    "na_accuracy": "NA (%)",
    "non_na_accuracy": "non-NA (%)",
    "accuracy": "total (%)",
}
"""Measure of an epoch -> its column."""


def _chosen(run: RecordedRun, measure: str) -> Value | None:
    """A measure of the chosen epoch in per cent."""
    chosen = [epoch for epoch in run.history if epoch.best][-1:]
    return next((100 * e.measures[measure] for e in chosen if measure in e.measures), None)


def accuracy_table(group: Group) -> str:
    """How often a pair of entities was given its relation while training; empty without such."""
    table: dict[str, list[str]] = {}
    for row in group.rows:
        if any(_chosen(run, "accuracy") is not None for run in row.complete):
            cells = {"System": row.label, "Seeds": seeds_cell(row)}
            for measure, heading in ACCURACIES.items():
                cells[heading] = cell(run_values(row, partial(_chosen, measure=measure)), 1)
            add_row(table, cells)
    if not table:
        return ""
    return (
        "\nAccuracy on the pairs of entities that were trained on, mean over the steps of the "
        "chosen epoch: those without a relation (NA), those with one (non-NA), and all:\n\n"
        f"{markdown(table)}"
    )


def _times(part: Group) -> str:
    iterations = iteration_table(part)
    return iterations and f"{iterations}\n{target_table(part)}"


def section(groups: Sequence[Group], pictures: Pictures) -> str:
    """Convergence of each dataset; times and curves of each machine apart."""
    parts = []
    for group in groups:
        text = f"### {group.title}\n\n{caption(group)}\n{on_each_machine(group, _times)}"
        text += accuracy_table(group)
        text += shared_note(group.runs)
        if not any(run.history for run in group.runs):
            text += "\nNo curves: no run left a history.\n"
        for part in group.machines:
            title = f"{group.title}{f', machine {part.place}' if part.place else ''}"
            text += image(pictures, f"{part.key}-convergence", f"{title}: convergence")
            text += image(pictures, f"{part.key}-iterations", f"{title}: iterations")
        parts.append(text)
    return "\n".join(parts)
