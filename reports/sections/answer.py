"""The report's first screen: who is best, how sure that is, and what to know before using it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reports.answer import POINT, Answer, Candidate, Limits
from reports.cells import (
    ABSENT,
    Pictures,
    add_row,
    image,
    markdown,
    number,
    seeds_cell,
)
from reports.converged import ending
from reports.load import Group, Row
from reports.sections.caveats import busy_runs
from reports.sections.differences import finding
from reports.sections.overview import listed, plural, where
from reports.times import SHARED, latency, time_cell, training_time
from suite.quoting import quoted

TIED = "="
"""Marks the systems that cannot be told from the best one."""


def section(
    groups: Sequence[Group], answers: Mapping[str, Answer], pictures: Pictures, limits: Limits
) -> str:
    """For each dataset the answer in a few lines, its figure, and the main table.

    Args:
        groups: the datasets.
        answers: key of each -> its answer.
        pictures: that were drawn.
        limits: within which a choice is asked for.
    """
    parts = []
    for group in groups:
        answer = answers[group.key]
        figure = image(pictures, f"{group.key}-frontier", f"{group.title}: F1 against latency")
        parts.append(
            f"### {group.title}\n\n{_lines(group, answer, limits)}{figure}\n"
            f"{table(group, answer)}{_legend(group, answer)}"
        )
    return "\n".join(parts)


def _lines(group: Group, answer: Answer, limits: Limits) -> str:
    lines = [f"**{finding(group, answer.differences)}**"]
    if answer.best is not None:
        alone = len(answer.candidates) == 1
        lines += (
            _takes(group, answer.best, answer)
            if alone
            else [_fastest(group, answer), _cheapest(answer)]
        )
        lines += [_within(group, answer, limits)] if limits.any else []
        lines += [_without_training(answer), *_doubts(group, answer)]
    return "".join(f"- {line}\n" for line in lines if line)


def _takes(group: Group, only: Candidate, answer: Answer) -> list[str]:
    """What the only system takes: it is the fastest and the cheapest of none."""
    lines = []
    if only.milliseconds is not None:
        lines.append(
            f"**Latency**: {number(only.milliseconds)} ms per {group.unit} at batch "
            f"{answer.batch_size}."
        )
    if only.minutes is not None:
        lines.append(f"**Training**: {number(only.minutes)} minutes.")
    return lines


def _fastest(group: Group, answer: Answer) -> str:
    fastest, best = answer.fastest, answer.best
    if fastest is None or best is None or fastest.milliseconds is None:
        return "**Fastest**: no system near the best one has a latency."
    text = (
        f"**Fastest within {100 * POINT:g} point of it: {quoted(fastest.row.label)}**, "
        f"{number(fastest.milliseconds)} ms per {group.unit} at batch {answer.batch_size}"
    )
    quickest = answer.front[0]
    if quickest.row.label != fastest.row.label and quickest.milliseconds is not None:
        text += (
            f"; the fastest of all, {quoted(quickest.row.label)}, takes "
            f"{number(quickest.milliseconds)} ms for {100 * (best.f1 - quickest.f1):.1f} points "
            "less"
        )
    return f"{text}."


def _cheapest(answer: Answer) -> str:
    cheapest = answer.cheapest
    if cheapest is None or cheapest.minutes is None:
        return ""
    return (
        f"**Cheapest to train: {quoted(cheapest.row.label)}**, {number(cheapest.minutes)} minutes "
        f"for F1 {_f1(cheapest)} %."
    )


def _within(group: Group, answer: Answer, limits: Limits) -> str:
    """The choice within what the reader can afford."""
    asked = []
    if limits.milliseconds is not None:
        asked.append(f"{limits.milliseconds:g} ms per {group.unit} at batch {answer.batch_size}")
    if limits.mebibytes is not None:
        asked.append(f"{limits.mebibytes:g} MiB")
    text = f"**Within {listed(asked)}" if asked else "**Within what was asked"
    if limits.f1 is not None:
        text += f"{' and ' if asked else ': '}F1 of {limits.f1:g} % or more"
    found = answer.within(limits)
    if not found:
        return f"{text}: no system**; a figure that was not measured keeps to no limit."
    others = f"; also {_named(c.row.label for c in found[1:])}" if len(found) > 1 else ""
    return f"{text}: {quoted(found[0].row.label)}**, F1 {_f1(found[0])} %{others}."


def _without_training(answer: Answer) -> str:
    """The systems that a baseline without training keeps up with."""
    bare, under = answer.untrained, answer.not_above_untrained
    if bare is None or not under:
        return ""
    named = listed(f"{quoted(c.row.label)} ({_f1(c)} %)" for c in under)
    label = quoted(bare.row.label)
    return f"**Without training: {label} has F1 {_f1(bare)} %**, no less than {named}."


def _doubts(group: Group, answer: Answer) -> list[str]:
    """What weakens the answer, each kind in a line."""
    lines = []
    few = [c.row.label for c in answer.candidates if not c.standing.f1.counts_seeds]
    if len(few) == len(answer.candidates) == 1:
        lines.append("**One seed**: how far another would lie is not known.")
    elif few:
        who = "all" if len(few) == len(answer.candidates) else _named(few)
        lines.append(f"**One seed**: {who}; no difference of theirs is told from chance.")
    wrong = [split for split, flag in group.dataset.published.items() if flag is False]
    if group.dataset.synthetic:
        lines.append("**Synthetic data**: the figures say nothing about real text.")
    elif wrong:
        lines.append(f"**Not the published data**: {listed(wrong)}.")
    busy = {run.record.system.key for run, _ in busy_runs(answer.place.runs)}
    disturbed = [row.label for row in answer.place.systems if row.key in busy]
    if disturbed:
        who = "all" if len(disturbed) == len(answer.place.systems) > 1 else _named(disturbed)
        lines.append(f"**Times disturbed by other work**: {who}.")
    return lines


def table(group: Group, answer: Answer) -> str:
    """The main table, the best first; of times, those of the machine with most runs."""
    cells: dict[str, list[str]] = {}
    rows = {row.label: row for row in answer.place.systems}
    for candidate in answer.candidates:
        add_row(cells, _cells(group, answer, candidate, rows.get(candidate.row.label)))
    return markdown(cells) if cells else ""


def _cells(group: Group, answer: Answer, candidate: Candidate, row: Row | None) -> dict[str, str]:
    label, estimate = quoted(candidate.row.label), candidate.standing.f1
    is_best = candidate is answer.best
    tied = f" {TIED}" if candidate.row.label in answer.tied else ""
    found = ending(candidate.row, group.match)
    trained = training_time("training_seconds", factor=1 / 60)
    return {
        "System": f"**{label}**" if is_best else f"{label}{tied}",
        "Seeds": seeds_cell(candidate.row),
        f"F1{group.rule} (%)": f"**{_f1(candidate)}**" if is_best else _f1(candidate),
        "95 % interval": f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f}"
        + ("" if estimate.counts_seeds else " (one seed)"),
        "Converged": ABSENT if found is None else found.verdict,
        "Training (min)": ABSENT if row is None else time_cell(row, trained),
        **{
            f"ms per {group.unit}, batch {size}": ABSENT
            if row is None
            else time_cell(row, latency(size))
            for size in answer.place.outer_batch_sizes
        },
    }


def _legend(group: Group, answer: Answer) -> str:
    parts = []
    if answer.tied:
        parts.append(f"`{TIED}`: not told apart from the best.")
    if len(group.machines) > 1:
        parts.append(
            f"Times are those of one of {len(group.machines)} machines: {where(answer.place)}."
        )
    missing = [row.label for row in group.systems if row.label not in _labels(answer)]
    if missing:
        parts.append(
            f"Without a row, since a seed or its predictions are missing: {_named(missing)}."
        )
    if any("shared" in line for line in table(group, answer).splitlines()):
        parts.append(SHARED)
    bounds = plural(len(group.rows) - len(group.systems), "upper bound")
    if len(group.rows) > len(group.systems):
        parts.append(f"{bounds} in the tables below.")
    return f"\n{' '.join(parts)}\n" if parts else ""


def _labels(answer: Answer) -> set[str]:
    return {candidate.row.label for candidate in answer.candidates}


def _named(labels: Iterable[str]) -> str:
    return listed(map(quoted, labels))


def _f1(candidate: Candidate) -> str:
    return f"{100 * candidate.f1:.1f}"
