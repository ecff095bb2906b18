"""Which published figure may stand beside which measured one, and why another may not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial

from reports.cells import Value, measured, values
from reports.load import Group, Row
from reports.readings import NOT_LABELLED, f1_of, labelled
from suite.datasets.catalogue.entries import CATALOGUE
from suite.modelling.encoder_kind import ROBERTA
from suite.records.run import RunRecord
from suite.records.suite import EXAMPLES
from suite.studies.figures import Figure, Form
from suite.studies.published import published_figures, split_sizes

SHORTFALL = 5.0
"""Points of F1 under a published figure above which the report's first page says so."""


def encoder_here(row: Row) -> str:
    """What the row's words are read by, as its records name it."""
    facts = row.facts
    if facts.fresh_weights:
        return f"{facts.pretrained}, fresh weights"
    return facts.pretrained or facts.vectors or "none"


def form_of(dataset: str) -> Form:
    """How the gold of one of the suite's datasets names entities."""
    entry = CATALOGUE.get(dataset)
    return "last words" if entry is not None and entry.last_words else "whole names"


def published_rows(group: Group, row: Row) -> list[Figure]:
    """Published figures of the row's system and settings on the group's dataset.

    Its kind of encoder is the same, and RoBERTa stands beside RoBERTa alone; all of train was used,
    in batches of this protocol's size where the paper has such a row.
    """
    found = [
        figure
        for figure in _with_this_encoder(group, row)
        if figure.train_share == 1 and not _other_settings(row, figure)
    ]
    here = group.first.protocol.examples_per_step(group.dataset.task)
    return [figure for figure in found if _has_the_batch(figure, found, here)]


def _has_the_batch(figure: Figure, found: Sequence[Figure], here: int) -> bool:
    """Whether, of rows that differ in the size of a batch alone, it is the one for this size.

    Where no row has the size, it is that of the paper's full model.
    """

    def place(other: Figure) -> tuple[object, ...]:
        return other.source, other.split, other.match, other.encoder

    alike = [other for other in found if place(other) == place(figure)]
    if len({other.batch_size for other in alike}) < 2:
        return True
    if any(other.batch_size == here for other in alike):
        return figure.batch_size == here
    return figure.reference or not any(other.reference for other in alike)


def _with_this_encoder(group: Group, row: Row) -> list[Figure]:
    return [
        figure
        for figure in published_figures()
        if figure.compared_by == "system"
        and "f1" in figure.numbers
        and figure.system == row.name
        and figure.dataset == group.dataset.name
        and figure.kind == row.facts.encoder_kind
        and (figure.family == ROBERTA) == (row.facts.encoder_family == ROBERTA)
    ]


def _other_settings(row: Row, figure: Figure) -> list[str]:
    """The row's settings that make it another model than the published one."""
    own = row.facts.settings
    return [
        f"{name}: {json.dumps(own[name])}"
        for name, allowed in figure.settings.items()
        if name in own and json.dumps(own[name]) not in map(json.dumps, allowed)
    ]


def _split_size(group: Group, split: str) -> str:
    """How many examples the split has here and in the papers, as far as both are known."""
    published = " or ".join(f"{size:,}" for size in split_sizes(group.dataset.name, split))
    statistics = group.plan.statistics if describes(group) and group.plan else {}
    here = statistics.get(split, {}).get(EXAMPLES)
    if not published or not isinstance(here, int):
        return ""
    return f" ({here:,} examples here, {published} published)"


def describes(group: Group) -> bool:
    """Whether `suite.json` tells of the very data of this group."""
    return group.plan is not None and group.plan.facts.fingerprints == group.dataset.fingerprints


def why_not(group: Group, figure: Figure) -> str | None:
    """Why the figure may not stand beside this group's, as a clause; None where it may."""
    if group.dataset.synthetic:
        return "the data are synthetic"
    reasons = [
        f"{split} is not the published split{_split_size(group, split)}"
        for split in figure.splits
        if group.dataset.published.get(split) is not True
    ]
    if "test" in figure.splits and not labelled(group):
        reasons.append(f"the test set is {NOT_LABELLED} here")
    reasons += _other_form(group, figure)
    return "; ".join(reasons) or None


def _other_form(group: Group, figure: Figure) -> list[str]:
    if figure.form is None:  # a task whose gold does not name entities by their words
        return []
    if figure.form == "not stated":
        return ["the paper does not say whether its entities are whole names or last words alone"]
    if figure.form != form_of(group.dataset.name):
        return [f"published on {figure.form}, measured on {form_of(group.dataset.name)}"]
    return []


def _none_known(group: Group, row: Row) -> str:
    """That there is no published figure of such a row, and what stands in its way."""
    for figure in _with_this_encoder(group, row):
        other = _other_settings(row, figure)
        if other:
            return (
                f"{row.label}: with these settings ({', '.join(other)}) it is not what was "
                "published on this dataset."
            )
    kind = "with" if row.facts.encoder_kind == "pretrained transformer" else "without"
    return (
        f"{row.label}: this suite knows no published figure of it on this dataset {kind} "
        "a pretrained encoder."
    )


def refusals(group: Group) -> list[str]:
    """A sentence for each system that has no published figure beside its own, with the reason."""
    lines = []
    for row in group.systems:
        rows = published_rows(group, row)
        if not rows:
            lines.append(_none_known(group, row))
        for figure in rows:
            reason = why_not(group, figure)
            if reason is not None:
                lines.append(
                    f"{row.label}: not set beside {figure.row} of {figure.source} "
                    f"({figure.table}): {reason}."
                )
    return lines


def accepted(group: Group) -> list[tuple[Row, Figure]]:
    """The pairs that may stand side by side."""
    return [
        (row, figure)
        for row in group.systems
        for figure in published_rows(group, row)
        if why_not(group, figure) is None
    ]


def f1_reader(figure: Figure) -> Callable[[RunRecord], Value | None]:
    """Reads the F1, in per cent, that the published one is to be held against."""
    return partial(f1_of, match=figure.match or "exact", split=figure.split)


def shortfalls(group: Group) -> list[str]:
    """A sentence for each system that is far under its published figure.

    Where a seed is missing, its best one is held against the figure.
    """
    lines = []
    for row, figure in accepted(group):
        found = values(row, f1_reader(figure))
        numbers = [value for value in found.values() if not isinstance(value, str)]
        if not numbers:
            continue
        whole = measured(found)
        short = figure.numbers["f1"] - (sum(whole) / len(whole) if whole else max(numbers))
        if short <= SHORTFALL:
            continue
        what = f"{figure.match} match" if figure.match else figure.split
        lines.append(
            f"**Under the published figure**: {row.label} on {group.title}: "
            f"{'' if whole else 'at least '}{short:.1f} under the published {figure.printed('f1')} "
            f"(F1, {what}; {figure.source}, {figure.table}), on the same published splits; encoder "
            f"there: {figure.encoder}; here: {encoder_here(row)}."
        )
    return lines
