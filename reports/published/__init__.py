"""Published figures as typed data, each with all that a comparison must know about it.

None of them was measured by this suite; tables name their source. They are read from the studies,
whose other tables (ablations, searches) are compared by variant, not by row.
"""

from __future__ import annotations

from reports.published.tables import document_scores, efficiency, scores
from reports.published.types import (
    Published,
    PublishedDocumentScore,
    PublishedEfficiency,
    PublishedScore,
    form_of,
)
from suite.studies.figures import EncoderKind, Form
from suite.studies.study import find_study

__all__ = [
    "CLAIMS",
    "DOCUMENT_SCORES",
    "EFFICIENCY",
    "FASTRE",
    "FASTRE_DEVICE",
    "SCORES",
    "SEEN_IN_TRAIN",
    "SPLIT_SIZES",
    "EncoderKind",
    "Form",
    "Published",
    "PublishedDocumentScore",
    "PublishedEfficiency",
    "PublishedScore",
    "form_of",
]

SCORES: tuple[PublishedScore, ...] = scores(
    "fastre-table2", "pmei-table3", "pmei-table4", "relu-net-table2"
)
"""Of the task `triples`."""

DOCUMENT_SCORES: tuple[PublishedDocumentScore, ...] = document_scores(
    "bert-docred-table1", "bert-docred-table2", "bert-docred-table3"
)
"""Of the task `docre`."""

EFFICIENCY: tuple[PublishedEfficiency, ...] = efficiency("fastre-table3")

_FASTRE = find_study("fastre-table2")
FASTRE = _FASTRE.source
FASTRE_DEVICE = _FASTRE.device

SPLIT_SIZES: dict[str, dict[str, int]] = {
    name: counted.model_dump(include={"train", "dev", "test"}, exclude_none=True)
    for name, counted in _FASTRE.counted.items()
}
"""Sentences of each split (FastRE, Table 1)."""

SEEN_IN_TRAIN: dict[str, float] = {
    name: counted.seen_in_train
    for name, counted in _FASTRE.counted.items()
    if counted.seen_in_train is not None
}
"""Per cent of the test triples that occur in train (FastRE, section 3.7)."""

CLAIMS = _FASTRE.claims
"""What FastRE's abstract claims against the state of the art of its time, all of it on BERT."""
