"""The main table of each dataset, as FastRE's Table 2, and what was published beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import get_args

import numpy as np

from reports.cells import (
    Value,
    add_row,
    cell,
    markdown,
    measured,
    number,
    score_cells,
    seeds_cell,
    values,
)
from reports.comparison import accepted, refusals
from reports.load import Group, Row
from reports.overview import caption
from reports.published import SCORES, PublishedScore
from reports.readings import f1_on_test, inference, training
from suite.protocol import Match
from suite.records import InferenceCost, RunRecord, Scores

MATCHES: tuple[Match, ...] = get_args(Match)


def scores_on_test(row: Row, match: Match) -> dict[int, Scores | str]:
    """Each planned seed's test scores, or why there are none."""
    found: dict[int, Scores | str] = dict(row.missing)
    for run in row.complete:
        test = run.record.test
        found[run.record.seed] = "not recorded" if test is None else getattr(test, match)
    return {seed: found[seed] for seed in row.seeds}


def pass_seconds(record: RunRecord, batch_size: int) -> Value | None:
    """Seconds of a pass over the test set, or why there are none."""
    cost = inference(record, batch_size)
    return cost.total_seconds if isinstance(cost, InferenceCost) else cost


def main_table(group: Group) -> str:
    """Scores under both match rules and what training and inference took."""
    table: dict[str, list[str]] = {}
    sizes = group.batch_sizes[-1:]
    for row in group.rows:
        cells = {"System": row.label, "Seeds": seeds_cell(row)}
        for match in MATCHES:
            found = score_cells(scores_on_test(row, match))
            for part, text in zip(("P", "R", "F1"), found, strict=True):
                cells[f"{part}, {match}/{group.dataset.matching} (%)"] = text
        for heading, field in (
            ("Training and dev evaluation to chosen epoch (min)", "seconds_to_best"),
            ("Training in all (min)", "training_seconds"),
            ("Dev evaluation (min)", "evaluation_seconds"),
        ):
            cells[heading] = cell(values(row, partial(training, name=field, factor=1 / 60)))
        for size in sizes:
            cells[f"Inference, whole test set at batch {size} (s)"] = cell(
                values(row, partial(pass_seconds, batch_size=size))
            )
        add_row(table, cells)
    return markdown(table)


_MATCH_RULES = {
    "triples": (
        "*partial*: relation and the first word of head and tail; *exact*: relation and both "
        "whole spans."
    ),
    "docre": "facts between given entities: relation, head and tail entity, in both columns.",
    "ner": "*partial*: type and first word; *exact*: type and whole span.",
}


def published_table(scores: Sequence[PublishedScore]) -> str:
    """Published rows, each with all that a comparison needs."""

    def optional(value: float | None) -> str:
        return "-" if value is None else f"{value:g}"

    return markdown(
        {
            "Published row": [s.row for s in scores],
            "Source": [f"{s.source}, {s.table}" for s in scores],
            "Run by": [s.origin or "its authors" for s in scores],
            "Encoder": [s.encoder for s in scores],
            "Entities": [s.form for s in scores],
            "Match": [s.match for s in scores],
            "P (%)": [f"{s.precision:.1f}" for s in scores],
            "R (%)": [f"{s.recall:.1f}" for s in scores],
            "F1 (%)": [f"{s.f1:.1f}" for s in scores],
            "Training (min)": [optional(s.train_minutes) for s in scores],
            "Inference (s), batch not stated": [optional(s.inference_seconds) for s in scores],
            "Device": [s.device or "-" for s in scores],
        }
    )


def beside_published(group: Group) -> str:
    """Measured and published F1 side by side where the data allow it; else the reason."""
    table: dict[str, list[str]] = {}
    for row, score in accepted(group):
        found = values(row, partial(f1_on_test, match=score.match))
        numbers = measured(found)
        cells = {
            "System": row.label,
            "Seeds": seeds_cell(row),
            f"F1 here, {score.match} (%)": cell(found, digits=1),
            f"F1 published, {score.match} (%)": f"{score.f1:.1f}",
            "Difference": "-"
            if numbers is None
            else f"{number(float(np.mean(numbers)) - score.f1, 1)}",
            "Published in": f"{score.source}, {score.table}",
            "Run by": score.origin or "its authors",
            "Encoder there": score.encoder,
            "Encoder here": row.facts.pretrained or row.facts.vectors or "none",
        }
        add_row(table, cells)
    text = "#### Beside the published figures\n\n"
    if table:
        text += (
            "Same published train and test splits, same form of the data, same match rule; encoder "
            f"and protocol may differ and are named.\n\n{markdown(table)}\n"
        )
    return text + "".join(f"- {line}\n" for line in refusals(group))


def section(groups: Sequence[Group]) -> str:
    """The main tables."""
    return "\n".join(
        f"### {group.title}\n\n{caption(group)}\n{main_table(group)}\n"
        f"Match: {_MATCH_RULES[group.dataset.task]} Times are wall clock; training in all "
        f"excludes dev evaluation, which has its own column.\n\n{beside_published(group)}"
        for group in groups
    )


def published_section(groups: Sequence[Group]) -> str:
    """All published rows on these datasets, apart from what was measured."""
    parts = []
    for name in dict.fromkeys(group.dataset.name for group in groups):
        scores = [score for score in SCORES if score.dataset == name]
        if scores:
            parts.append(f"### {name}, as published\n\n{published_table(scores)}")
    if not parts:
        return "This suite knows no published figure on these datasets.\n"
    return (
        "Copied from the papers for orientation; none of these rows was measured here, and which "
        "of them the measured figures may be held against is said in section 2.\n\n"
    ) + "\n".join(parts)
