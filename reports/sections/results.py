"""The main table of each dataset, as FastRE's Table 2, and what was published beside it."""

from __future__ import annotations

from collections.abc import Sequence

from reports.cells import ABSENT, add_row, markdown, number, seeds_cell
from reports.load import Group, OutsideRow, Row
from reports.readings import trains_nothing
from reports.score_columns import meaning, score_columns
from reports.sections.convergence import ending_cell
from reports.sections.overview import caption, on_each_machine
from reports.sections.published import beside_published
from reports.times import pass_time, shared_note, time_cell, training_time
from suite.records.outside import NOT_TRAINED

TRAINING = "Training in all (min)"


def main_table(group: Group) -> str:
    """Scores as the task's field prints them, and what training and inference took.

    Scores of several machines stand in one table, times in one for each machine.
    """
    joined = len(group.machines) > 1
    table: dict[str, list[str]] = {}
    for row in group.scored:
        cells = {
            "System": row.label,
            "Seeds": seeds_cell(row),
            "Converged": ending_cell(row, group.match),
            **score_columns(group, row),
        }
        if not joined:
            cells |= _times(group, row) if isinstance(row, Row) else _stated(group, row)
        add_row(table, cells)
    text = markdown(table)
    return f"{text}\n{on_each_machine(group, _times_table)}" if joined else text


def _times_table(part: Group) -> str:
    table: dict[str, list[str]] = {}
    for row in part.rows:
        cells = {"System": row.label, "Seeds": seeds_cell(row)}
        add_row(table, cells | _times(part, row))
    return markdown(table)


def _times(group: Group, row: Row) -> dict[str, str]:
    cells = {
        heading: time_cell(row, training_time(field, factor=1 / 60))
        for heading, field in (
            ("Training and dev evaluation to chosen epoch (min)", "seconds_to_best"),
            (TRAINING, "training_seconds"),
            ("Dev evaluation (min)", "evaluation_seconds"),
        )
    }
    for size in group.batch_sizes[-1:]:
        heading = f"Inference, whole test set at batch {size} (s)"
        cells[heading] = time_cell(row, pass_time(size))
    return cells


def _stated(group: Group, row: OutsideRow) -> dict[str, str]:
    """Cells of times of a system that was not trained here: empty, but for what is stated."""
    told = row.record.about.training
    stated = {} if told is None else {TRAINING: f"{number(told.minutes)} (stated)"}
    return {heading: stated.get(heading, ABSENT) for heading in _times(group, group.rows[0])}


def not_trained(group: Group) -> str:
    """What the rows of systems from outside are."""
    if not group.outside:
        return ""
    costs = (
        "Costs that are marked so are stated by whoever brought them in, and compare with none "
        "that was measured. "
        if any(row.record.about.states_costs for row in group.outside)
        else ""
    )
    return (
        f"\nRows *(outside)* were {NOT_TRAINED}: their predictions come from a file, and neither "
        f"epoch nor threshold was chosen here. Scores, slices and tests are by the same rules. "
        f"{costs}*What to know first* says how each file fits the test set.\n"
    )


def bounds(group: Group) -> str:
    """What each upper bound is given."""
    return "".join(
        f"\n{row.label} {row.upper_bound.strip().rstrip('.')}, which a system has to find: it "
        "bounds the systems from above and is ranked with none of them.\n"
        for row in group.rows
        if row.upper_bound is not None
    )


def without_training(group: Group) -> str:
    """Which rows nothing was trained for."""
    return "".join(
        f"\n{row.label} has nothing to train: no epoch was run or chosen, and its time of training "
        "is that of one look at train.\n"
        for row in group.rows
        if trains_nothing(row)
    )


def section(groups: Sequence[Group]) -> str:
    """The main tables."""
    return "\n".join(
        f"### {group.title}\n\n{caption(group)}\n{main_table(group)}\n"
        f"{meaning(group)} *Converged* says whether dev F1 had stopped rising, by the rule of the "
        "section on convergence. Times are wall clock; training in all "
        f"excludes dev evaluation, which has its own column.\n{shared_note(group.runs)}"
        f"{bounds(group)}{without_training(group)}{not_trained(group)}\n"
        f"{beside_published(group)}"
        for group in groups
    )
