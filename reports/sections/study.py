"""A paper's table beside what was measured of it: paper, ours, and each one's own differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from reports.cells import ReadValue, Value, add_row, cell, markdown, number, seeds_cell, values
from reports.differences import Compared, compare
from reports.load import Group, Results, Row
from reports.readings import f1_of, metric_of, training
from reports.sections.differences import against
from reports.sections.overview import machine
from reports.times import (
    Timed,
    latency,
    pass_time,
    shared_note,
    time_cell,
    training_time,
)
from suite.records.run import RunRecord
from suite.studies.figures import MEASURES, Figure
from suite.studies.study import Study
from suite.studies.study_variant import StudyVariant
from suite.tasks.matching import Match
from suite.tasks.metric import ScoredSplit
from suite.tasks.registry import find_task


def _parameters(record: RunRecord) -> Value | None:
    held = record.parameters
    return None if held is None else (held.total - held.word_vectors) / 1000


COSTS: Mapping[str, tuple[str, ReadValue | Timed]] = {
    "parameters_thousands": ("Parameters without word vectors (thousands)", _parameters),
    "train_minutes": (
        "Training to the chosen epoch (min)",
        training_time("seconds_to_best", factor=1 / 60),
    ),
    "inference_seconds": ("Whole test set at batch 1 (s)", pass_time(1)),
    "step_milliseconds": ("Training step (ms)", training_time("step_seconds", factor=1e3)),
    "steps": ("Steps to the chosen epoch", partial(training, name="steps_to_best")),
    **{f"milliseconds_{size}": (f"Batch {size} (ms)", latency(size)) for size in (1, 8, 128)},
}
"""Published measure of cost -> what stands here for it, and how it is read."""


def section(results: Results) -> str:
    """The study of the suite; nothing where it was none."""
    study = results.plan.study
    if study is None:
        return ""
    notes = "".join(f"- {note.rstrip('.')}.\n" for note in study.notes)
    text = (
        f"**{study.question}** {study.title}: {study.table} of {study.source}. *Paper* is what is "
        "printed there; all else was measured here. Differences are to the full model, each in its "
        "own column of figures: what a paper concludes stands or falls with them, whatever the "
        f"level.\n\n{notes}\n"
    )
    names = dict.fromkeys(group.dataset.name for group in results.groups)
    parts = [_on(study, [g for g in results.groups if g.dataset.name == name]) for name in names]
    return text + "\n".join([*parts, _published_only(study)])


def _on(study: Study, groups: Sequence[Group]) -> str:
    """One dataset's tables; rows of several groups where variants differ in what groups share."""
    dataset = groups[0].dataset
    rows, others = _first_of_each(study, groups)
    text = f"### {dataset.title}\n\n"
    reported = dataset.name in study.datasets
    if not reported:
        text += (
            f"The paper does not report on `{dataset.name}`: its differences on its own data stand "
            "for comparison.\n\n"
        )
    if len(groups) > 1:
        text += (
            "The variants differ in what a table must hold equal (protocol or data): *Main "
            "results* has a table for each, and says in what.\n\n"
        )
    for match in _matches(study, groups[0]):
        found, _ = compare(list(rows.values()), match)
        text += _scores(study, groups[0], rows, match, found) + "\n"
    costs = _costs_by_machine(study, groups)
    missing = [v.title or v.system for v in study.variants if v.name not in rows]
    text += f"{costs}\n" if costs else ""
    text += f"Not measured here: {'; '.join(missing)}.\n" if missing else ""
    text += f"In *Main results* alone: {'; '.join(others)}.\n" if others else ""
    return text


def _first_of_each(study: Study, groups: Sequence[Group]) -> tuple[dict[str, Row], list[str]]:
    """Variant -> its first row, and the other rows that were measured, in words."""
    rows: dict[str, Row] = {}
    others = []
    known = {variant.name for variant in study.variants}
    for group in groups:
        for row in group.systems:
            if row.facts.key not in known or row.facts.key in rows:
                others.append(f"{row.label} ({group.title})")
            rows.setdefault(row.facts.key, row)
    return rows, others


def _matches(study: Study, group: Group) -> list[Match]:
    """The rules of the paper's figures; where there are none, the one that chose the epochs."""
    printed = dict.fromkeys(f.match for f in study.figures if f.match is not None)
    return list(printed) or [group.match]


def _figure(
    study: Study, variant: StudyVariant, dataset: str, match: Match, task_has_rules: bool
) -> Figure | None:
    wanted = match if task_has_rules else None
    own = [f for f in study.figures if f.variant == variant.name and f.dataset == dataset]
    own = [f for f in own if f.match in {wanted, None} and {"f1", "f1_difference"} & set(f.numbers)]
    return next((f for f in own if f.split == "test"), next(iter(own), None))


def _scores(
    study: Study,
    group: Group,
    rows: Mapping[str, Row],
    match: Match,
    found: Sequence[Compared],
) -> str:
    table: dict[str, list[str]] = {}
    for variant in study.variants:
        row = rows.get(variant.name)
        if row is None:
            continue
        full = study.reference_of(variant.name)
        cells = {"Variant": row.label, "Seeds": seeds_cell(row)}
        cells |= _measured(study, row, match)
        own = against(found, variant.name, full or "")
        cells |= {
            "To the full model, here": own["Difference in F1 (points)"],
            "95 % interval": own["95 % interval"],
            "p": own["p"],
        }
        add_row(table, {**cells, **_printed(study, variant, group.dataset.name, match)})
    return markdown(table) if table else ""


def _measured(study: Study, row: Row, match: Match) -> dict[str, str]:
    """F1, with dev where the task's tables have it, and the study's other measures on test."""
    task = find_task(study.task)
    f1 = task.metric(f"{match}/f1")
    splits: tuple[ScoredSplit, ...] = ("dev", "test") if f1 and "dev" in f1.columns else ("test",)
    cells = {}
    for split in splits:
        read = partial(f1_of, match=match, split=split)
        rule = task.rule(match) if split == "test" else ""
        cells[f"{split} F1{rule} (%)"] = cell(values(row, read), 1)
    for metric in filter(None, map(task.metric, study.measures)):
        if not metric.fitted:
            found = values(row, partial(metric_of, metric=metric, split="test"))
            unit = " (%)" if metric.share else ""
            cells[f"test {metric.heading}{unit}"] = cell(found, metric.digits)
    return cells


def _printed(study: Study, variant: StudyVariant, dataset: str, match: Match) -> dict[str, str]:
    """The paper's F1 on the dataset with its difference, or its differences on its own data."""
    has_rules = any(f.match is not None for f in study.figures)
    if dataset in study.datasets:
        figure = _figure(study, variant, dataset, match, has_rules)
        split = f" {figure.split}" if figure else ""
        return {
            "Paper F1 (%)": _number(figure, "f1") + (f"{split}" if figure else ""),
            "To the full model, paper": _difference(study, figure),
            "Encoder there": figure.encoder if figure else "-",
        }
    cells = {}
    for other in study.datasets:
        figure = _figure(study, variant, other, match, has_rules)
        cells[f"To the full model, paper, {other}"] = _difference(study, figure)
    return cells


def _difference(study: Study, figure: Figure | None) -> str:
    found = None if figure is None else study.difference(figure)
    if found is None or (figure and figure.variant == study.reference_of(figure.variant)):
        return "-"
    return f"{found:+.1f}"


def _number(figure: Figure | None, name: str) -> str:
    value = None if figure is None else figure.numbers.get(name)
    return "-" if value is None else f"{value:g}"


def _costs_by_machine(study: Study, groups: Sequence[Group]) -> str:
    """A table of costs for each machine, whichever groups its runs are in."""
    found: dict[str, list[Group]] = {}
    for part in [part for group in groups for part in group.machines]:
        found.setdefault(machine(part.environment), []).append(part)
    texts = []
    for name, parts in found.items():
        rows, _ = _first_of_each(study, parts)
        costs = _costs(study, parts[0].dataset.name, rows)
        if costs:
            texts.append(f"**{name}**\n\n{costs}" if len(found) > 1 else costs)
    return "\n".join(texts)


def _costs(study: Study, dataset: str, rows: Mapping[str, Row]) -> str:
    """Parameters and times of paper and here; a time of another device compares in ratios alone."""
    names = [name for name in study.measures if name in COSTS]
    if not names:
        return ""
    table: dict[str, list[str]] = {}
    for variant in study.variants:
        row = rows.get(variant.name)
        if row is None:
            continue
        cells = {"Variant": row.label, "Seeds": seeds_cell(row)}
        figures = [f for f in study.figures if (f.variant, f.dataset) == (variant.name, dataset)]
        for name in names:
            title, read = COSTS[name]
            printed = next((f.numbers[name] for f in figures if name in f.numbers), None)
            cells[title] = (
                time_cell(row, read) if isinstance(read, Timed) else cell(values(row, read))
            )
            cells[f"Paper: {MEASURES[name]}"] = "-" if printed is None else number(printed)
        add_row(table, cells)
    device = study.device or "not stated"
    note = f"Costs; the paper's device: {device}. Times of two devices compare as ratios alone.\n\n"
    runs = (run for row in rows.values() for run in row.runs)
    return note + markdown(table) + shared_note(runs) if table else ""


def _published_only(study: Study) -> str:
    """Rows of systems that the suite does not have, as printed."""
    table: dict[str, list[str]] = {}
    for figure in study.figures:
        if figure.variant is None:
            cells = {
                "Row": figure.row,
                "Dataset": figure.dataset,
                "Match": figure.match or "-",
                "Run by": figure.origin or "its authors",
                "Encoder": figure.encoder,
            }
            cells |= {name: _number(figure, name) for name in study.measures}
            add_row(table, cells)
    if not table:
        return ""
    return (
        "### Published, never measured here\n\nRows of systems that the suite does not have, as "
        f"{study.source} prints them.\n\n{markdown(table)}"
    )
