"""How systems converge: at the end, at equal budgets, to a fixed dev F1 (FastRE, Figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from reports.budgets import Budget, budgets, leaders
from reports.cells import (
    ABSENT,
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
from reports.converged import ending, still_rising, why_not_told
from reports.load import AnyRow, Group, Row
from reports.readings import training, training_cost
from reports.run_files import RecordedRun
from reports.sections.overview import caption, findings, listed, on_each_machine, plural
from reports.times import mark, shared_note, time_cell, time_to, training_taken, training_time
from suite.quoting import quoted
from suite.records.run import RunRecord, TrainingCost
from suite.tasks.matching import Match

MARKS = (
    "*Converged*: by a line through the dev F1 of the last third of the epochs, whether as many "
    "epochs more would surely bring less than a point (converged), would bring some and maybe a "
    "point (still rising), or neither can be said (not told). A flat end under a learning rate "
    "that decays to 0 says that this training has no more to give."
)
BUDGETS = (
    "Best dev F1 (%) within equal budgets, as the epochs that had ended by then give it; a run "
    "that had ended before counts with its best. The learning rate of a run under way has not "
    "decayed yet: a training that was planned for the budget would reach more."
)


def ending_cell(row: AnyRow, match: Match) -> str:
    """Whether a row has converged, as its mark; a dash for what was not trained, or not here."""
    found = ending(row, match)
    return ABSENT if found is None else found.verdict


def ending_table(group: Group) -> str:
    """What as many epochs again as the last third would bring, with the mark that follows."""
    table: dict[str, list[str]] = {}
    for row in group.rows:
        found = ending(row, group.match)
        if found is None:
            continue
        trend = found.trend
        cells = {
            "System": row.label,
            "Seeds": seeds_cell(row),
            "Converged": found.verdict,
            "Gain of as many epochs again (points)": (
                ABSENT if trend is None else f"{100 * trend.gain:+.1f}"
            ),
            "95 % interval of the gain": (
                why_not_told(found)
                if trend is None
                else f"{100 * trend.low:+.1f} to {100 * trend.high:+.1f}"
            ),
        }
        add_row(table, cells)
    return f"{MARKS}\n\n{markdown(table)}\n" if table else ""


def budget_table(group: Group, chosen: Sequence[Budget]) -> str:
    """Dev F1 of each system at each budget; minutes of a shared machine are marked."""
    table: dict[str, list[str]] = {}
    for row in group.rows:
        cells = {"System": row.label, "Seeds": seeds_cell(row)}
        for budget in chosen:
            cells[f"dev F1 {budget.name}"] = _budget_cell(budget, row, group.match)
        add_row(table, cells)
    return markdown(table)


def _budget_cell(budget: Budget, row: Row, match: Match) -> str:
    found = budget.of(row, match)
    if budget.measure != "min" or budget.amount is None:
        return cell(found, 1)
    timed = [run for run in row.complete if not isinstance(found[run.record.seed], str)]
    ways = [way for run in timed if (way := training_taken(run.record)) is not None]
    return cell(found, 1) + mark(ways)


def _at_budgets(group: Group) -> str:
    """The tables at equal updates, and at equal minutes of each machine; empty without epochs."""
    chosen = budgets(group, "updates")
    if not chosen:
        return ""
    return f"{BUDGETS}\n\n{budget_table(group, chosen)}\n{on_each_machine(group, _at_minutes)}\n"


def _at_minutes(part: Group) -> str:
    chosen = budgets(part, "min")
    return budget_table(part, chosen) if chosen else ""


def finding(group: Group) -> str:
    """Which systems had converged, and who leads at which budget."""
    complete = [row for row in group.systems if row.complete]
    if not complete:
        return "No run of a system completed."
    settled = sum(ending_cell(row, group.match) == "converged" for row in complete)
    rising = [row.label for row in complete if still_rising(row, group.match)]
    return (
        f"{settled} of {plural(len(complete), 'system')} had converged. "
        f"{not_final(rising)}{_leads(group)}".rstrip()
    )


def not_final(rising: Sequence[str]) -> str:
    """That no ranking with systems that still rise is final; empty where none does."""
    if not rising:
        return ""
    verb, it = ("rises", "it") if len(rising) == 1 else ("rise", "them")
    named = listed(map(quoted, rising))
    return f"{named} still {verb} at the end of training: no ranking with {it} is final. "


def _leads(group: Group) -> str:
    """Who leads by dev F1 at the least budget of updates that tells, and at the end."""
    found = leaders(group, budgets(group, "updates"))
    if len(group.systems) < 2 or len(found) < 2:
        return ""
    (early, first, f1), (_, last, final) = found[0], found[-1]
    begins = f"By dev F1, {quoted(first.label)} leads {early.name} ({f1:.1f} %)"
    if first is last:
        return f"{begins} and at the end ({final:.1f} %)."
    return f"{begins}, and {quoted(last.label)} at the end ({final:.1f} %)."


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
    """Convergence of each dataset, the findings first; times and curves of each machine apart."""
    parts = []
    for group in groups:
        text = f"### {group.title}\n\n{caption(group)}\n{ending_table(group)}{_at_budgets(group)}"
        text += on_each_machine(group, _times)
        text += accuracy_table(group)
        text += shared_note(group.runs)
        if not any(run.history for run in group.runs):
            text += "\nNo curves: no run left a history.\n"
        for part in group.machines:
            title = f"{group.title}{f', machine {part.place}' if part.place else ''}"
            text += image(pictures, f"{part.key}-convergence", f"{title}: convergence")
            text += image(pictures, f"{part.key}-iterations", f"{title}: iterations")
        parts.append(text)
    return findings(groups, finding) + "\n".join(parts)
