"""Measured figures beside published ones, where the data allow it, and all published rows apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from reports.cells import Value, add_row, cell, markdown, mean, number, seeds_cell, values
from reports.comparison import accepted, encoder_here, f1_reader, refusals
from reports.load import Group, Row
from reports.published import (
    DOCUMENT_SCORES,
    SCORES,
    PublishedDocumentScore,
    PublishedScore,
)
from reports.readings import measure
from reports.score_columns import rules
from suite.records.run import RunRecord

SAME_TEXTS = {"redocred": "docred"}
"""A dataset -> that of the same texts whose published figures are shown for orientation."""
Reader = Callable[[RunRecord], Value | None]


def beside_published(group: Group) -> str:
    """Measured and published F1 side by side where the data allow it; else the reason."""
    tables = _document_tables(group) if group.dataset.task == "docre" else _tables(group)
    text = "#### Beside the published figures\n\n"
    if tables:
        text += (
            "Same published train and test splits, same form of the data, same match rule; encoder "
            "and protocol may differ and are named.\n\n"
            if group.dataset.task != "docre"
            else "Same published splits; encoder, batch and protocol may differ and are named.\n\n"
        )
    return text + "".join(f"{t}\n" for t in tables) + "".join(f"- {s}\n" for s in refusals(group))


def _difference(found: dict[int, Value], published: float) -> str:
    average = mean(found)
    return "-" if average is None else number(average - published, 1)


def _tables(group: Group) -> list[str]:
    """A table for each match rule."""
    found = []
    for match in rules(group):
        table: dict[str, list[str]] = {}
        for row, score in accepted(group):
            if isinstance(score, PublishedScore) and score.match == match:
                add_row(table, _cells(row, score))
        if table:
            found.append(markdown(table))
    return found


def _cells(row: Row, score: PublishedScore) -> dict[str, str]:
    found = values(row, f1_reader(score))
    return {
        "System": row.label,
        "Seeds": seeds_cell(row),
        f"F1 here, {score.match} (%)": cell(found, digits=1),
        f"F1 published, {score.match} (%)": score.printed,
        "Difference": _difference(found, score.f1),
        "Published in": f"{score.source}, {score.table}",
        "Run by": score.origin or "its authors",
        "Encoder there": score.encoder,
        "Encoder here": encoder_here(row),
    }


def _document_tables(group: Group) -> list[str]:
    table: dict[str, list[str]] = {}
    for row, score in accepted(group):
        if not isinstance(score, PublishedDocumentScore):
            continue
        readers: dict[str, tuple[Reader, float | None]] = {
            "F1": (f1_reader(score), score.f1),
            "Ign F1": (partial(measure, name="ign_f1", split=score.split), score.ign_f1),
            "AUC": (partial(measure, name="auc", split=score.split), score.auc),
            "Ign AUC": (partial(measure, name="ign_auc", split=score.split), score.ign_auc),
        }
        for name, (read, published) in readers.items():
            if published is not None:
                cells = _document_cells(group, row, score, values(row, read), published)
                add_row(table, {"System": row.label, "Measure": f"{score.split} {name}", **cells})
    return [markdown(table)] if table else []


def _document_cells(
    group: Group,
    row: Row,
    score: PublishedDocumentScore,
    found: dict[int, Value],
    published: float,
) -> dict[str, str]:
    return {
        "Seeds": seeds_cell(row),
        "Here (%)": cell(found, digits=1),
        "Published (%)": f"{published:.2f}",
        "Difference": _difference(found, published),
        "Published in": f"{score.source}, {score.table}",
        "Batch there": str(score.batch_size),
        "Batch here": str(group.first.protocol.document_batch_size),
        "Encoder there": score.encoder,
        "Encoder here": encoder_here(row),
    }


def _optional(value: float | None, digits: int | None = None) -> str:
    return "-" if value is None else f"{value:g}" if digits is None else f"{value:.{digits}f}"


def published_table(scores: Sequence[PublishedScore]) -> str:
    """Published rows, each with all that a comparison needs."""
    return markdown(
        {
            "Published row": [s.row for s in scores],
            "Source": [f"{s.source}, {s.table}" for s in scores],
            "Run by": [s.origin or "its authors" for s in scores],
            "Encoder": [s.encoder for s in scores],
            "Entities": [s.form for s in scores],
            "Match": [s.match for s in scores],
            "P (%)": [_optional(s.precision, 1) for s in scores],
            "R (%)": [_optional(s.recall, 1) for s in scores],
            "F1 (%)": [s.printed for s in scores],
            "Training (min)": [_optional(s.train_minutes) for s in scores],
            "Inference (s), batch not stated": [_optional(s.inference_seconds) for s in scores],
            "Device": [s.device or "-" for s in scores],
        }
    )


def published_documents(scores: Sequence[PublishedDocumentScore]) -> str:
    """Published rows of documents, with the columns of their tables."""
    return markdown(
        {
            "Published row": [s.row for s in scores],
            "Source": [f"{s.source}, {s.table}" for s in scores],
            "Scored by": [s.origin or "its authors" for s in scores],
            "Encoder": [s.encoder for s in scores],
            "Batch": [str(s.batch_size) for s in scores],
            "Train (%)": [str(s.train_share) for s in scores],
            "Split": [s.split for s in scores],
            "theta": [_optional(s.theta, 4) for s in scores],
            "F1 (%)": [s.printed for s in scores],
            "Ign F1 (%)": [_optional(s.ign_f1, 2) for s in scores],
            "AUC (%)": [_optional(s.auc, 2) for s in scores],
            "Ign AUC (%)": [_optional(s.ign_auc, 2) for s in scores],
            "Best epoch": [_optional(s.best_epoch) for s in scores],
            "Best epoch F1 (%)": [_optional(s.best_epoch_f1, 2) for s in scores],
            "Best epoch AUC (%)": [_optional(s.best_epoch_auc, 2) for s in scores],
        }
    )


def _published_on(group: Group) -> str:
    """All published rows of a dataset; nothing where there is none."""
    name = group.dataset.name
    heading = f"### {name}, as published\n\n"
    scores = [score for score in SCORES if score.dataset == name]
    if scores:
        return heading + published_table(scores)
    other = SAME_TEXTS.get(name, name)
    documents = [score for score in DOCUMENT_SCORES if score.dataset == other]
    if not documents:
        return ""
    if other != name:
        heading += (
            f"These rows are on `{other}`, whose texts {group.dataset.title} annotates anew: its "
            "gold is another, so that none of them may be held against a figure of it.\n\n"
        )
    return heading + published_documents(documents)


def published_section(groups: Sequence[Group]) -> str:
    """All published rows on these datasets, apart from what was measured."""
    by_name = {group.dataset.name: group for group in groups}
    parts = [part for part in map(_published_on, by_name.values()) if part]
    if not parts:
        return "This suite knows no published figure on these datasets.\n"
    return (
        "Copied from the papers for orientation; none of these rows was measured here, and which "
        "of them the measured figures may be held against is said in section 2.\n\n"
    ) + "\n".join(parts)
