"""Which published figure may stand beside which measured one, and why another may not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial

from reports.cells import Value, measured, values
from reports.load import Group, Row
from reports.published import (
    DOCUMENT_SCORES,
    SCORES,
    SPLIT_SIZES,
    EncoderKind,
    Published,
    PublishedDocumentScore,
    PublishedScore,
    form_of,
)
from reports.readings import NOT_LABELLED, f1_of, labelled
from suite.records.run import RunRecord, SystemFacts
from suite.records.suite import EXAMPLES

SHORTFALL = 5.0
"""Points of F1 under a published figure from which on the report's first page says so."""
PAPERS_BATCH = 8
"""Documents a step that BERT DocRED's authors choose."""


def encoder_kind(facts: SystemFacts) -> EncoderKind:
    """What the measured system's encoder knew before training.

    A system may take a pretrained transformer's architecture alone: setting `encoder` is `random`.
    """
    if facts.pretrained is None:
        return "word vectors"
    if facts.pretrained.startswith("untrained") or facts.settings.get("encoder") == "random":
        return "untrained transformer"
    return "pretrained transformer"


def encoder_here(row: Row) -> str:
    """What the row's words are read by, as its records name it."""
    facts = row.facts
    if facts.pretrained and facts.settings.get("encoder") == "random":
        return f"{facts.pretrained}, fresh weights"
    return facts.pretrained or facts.vectors or "none"


def published_rows(group: Group, row: Row) -> list[Published]:
    """Published figures of the row's system and settings on the group's dataset.

    Its kind of encoder is the same, and RoBERTa stands beside RoBERTa alone; of documents, all of
    train was used, in batches of this protocol's size where the paper has such a row.
    """
    found = [score for score in _with_this_encoder(group, row) if not _other_settings(row, score)]
    documents = [score for score in found if isinstance(score, PublishedDocumentScore)]
    batch = group.first.protocol.document_batch_size
    sizes = {score.batch_size for score in documents if score.split == "dev"}
    held = batch if batch in sizes else PAPERS_BATCH
    return [
        score
        for score in found
        if isinstance(score, PublishedScore)
        or (score.train_share == 100 and (score.split == "test" or score.batch_size == held))
    ]


def _with_this_encoder(group: Group, row: Row) -> list[Published]:
    everything: Sequence[Published] = (*SCORES, *DOCUMENT_SCORES)
    return [
        score
        for score in everything
        if score.system == row.name
        and score.dataset == group.dataset.name
        and score.kind == encoder_kind(row.facts)
        and _is_roberta(score.encoder) == _is_roberta(row.facts.pretrained or "")
    ]


def _is_roberta(encoder: str) -> bool:
    return "roberta" in encoder.lower()


def _other_settings(row: Row, score: Published) -> list[str]:
    """The row's settings that make it another model than the published one."""
    own = row.facts.settings
    return [
        f"{name}: {json.dumps(own[name])}"
        for name, allowed in score.settings.items()
        if name in own and json.dumps(own[name]) not in map(json.dumps, allowed)
    ]


def _split_size(group: Group, split: str) -> str:
    """How many examples the split has here and in the papers, as far as both are known."""
    published = SPLIT_SIZES.get(group.dataset.name, {}).get(split)
    statistics = group.plan.statistics if describes(group) and group.plan else {}
    here = statistics.get(split, {}).get(EXAMPLES)
    if published is None or not isinstance(here, int):
        return ""
    return f" ({here:,} examples here, {published:,} published)"


def describes(group: Group) -> bool:
    """Whether `suite.json` tells of the very data of this group."""
    return group.plan is not None and group.plan.facts.fingerprints == group.dataset.fingerprints


def why_not(group: Group, score: Published) -> str | None:
    """Why the figure may not stand beside this group's, as a clause; None where it may."""
    if group.dataset.synthetic:
        return "the data are synthetic"
    reasons = [
        f"{split} is not the published split{_split_size(group, split)}"
        for split in score.splits
        if group.dataset.published.get(split) is not True
    ]
    if "test" in score.splits and not labelled(group):
        reasons.append(f"the test set is {NOT_LABELLED} here")
    if isinstance(score, PublishedScore):
        reasons += _other_form(group, score)
    return "; ".join(reasons) or None


def _other_form(group: Group, score: PublishedScore) -> list[str]:
    if score.form == "not stated":
        return ["the paper does not say whether its entities are whole names or last words alone"]
    if score.form != form_of(group.dataset.name):
        return [f"published on {score.form}, measured on {form_of(group.dataset.name)}"]
    return []


def _none_known(group: Group, row: Row) -> str:
    """That there is no published figure of such a row, and what is in its way."""
    for score in _with_this_encoder(group, row):
        other = _other_settings(row, score)
        if other:
            return (
                f"{row.label}: with these settings ({', '.join(other)}) it is not what was "
                "published on this dataset."
            )
    kind = "with" if encoder_kind(row.facts) == "pretrained transformer" else "without"
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
        for score in rows:
            reason = why_not(group, score)
            if reason is not None:
                lines.append(
                    f"{row.label}: not set beside {score.row} of {score.source} ({score.table}): "
                    f"{reason}."
                )
    return lines


def accepted(group: Group) -> list[tuple[Row, Published]]:
    """The pairs that may stand side by side."""
    return [
        (row, score)
        for row in group.systems
        for score in published_rows(group, row)
        if why_not(group, score) is None
    ]


def f1_reader(score: Published) -> Callable[[RunRecord], Value | None]:
    """Reads the F1, in per cent, that the published one is to be held against."""
    if isinstance(score, PublishedScore):
        return partial(f1_of, match=score.match)
    return partial(f1_of, match="exact", split=score.split)


def shortfalls(group: Group) -> list[str]:
    """A sentence for each system that is far under its published figure.

    Where a seed is missing, its best one is held against the figure.
    """
    lines = []
    for row, score in accepted(group):
        found = values(row, f1_reader(score))
        numbers = [value for value in found.values() if not isinstance(value, str)]
        if not numbers:
            continue
        whole = measured(found)
        short = score.f1 - (sum(whole) / len(whole) if whole else max(numbers))
        if short <= SHORTFALL:
            continue
        what = f"{score.match} match" if isinstance(score, PublishedScore) else score.split
        lines.append(
            f"**under the published figure**: {row.label} on {group.title}: "
            f"{'' if whole else 'at least '}{short:.1f} under the published {score.printed} (F1, "
            f"{what}; {score.source}, {score.table}), on the same published splits; encoder "
            f"there: {score.encoder}; here: {encoder_here(row)}."
        )
    return lines
