"""Published figures as typed data, each with all that a comparison must know about it.

None of them was measured by this suite; tables name their source. A module a paper.
"""

from __future__ import annotations

from reports.published.bert_docred import SCORES as _BERT_DOCRED
from reports.published.casrel import SCORES as _CASREL
from reports.published.fastre import (
    CLAIMS,
    EFFICIENCY,
    FASTRE,
    FASTRE_DEVICE,
    SEEN_IN_TRAIN,
    SPLIT_SIZES,
)
from reports.published.fastre import SCORES as _FASTRE
from reports.published.pmei import SCORES as _PMEI
from reports.published.relu_net import SCORES as _RELU_NET
from reports.published.types import (
    EncoderKind,
    Form,
    Published,
    PublishedDocumentScore,
    PublishedEfficiency,
    PublishedScore,
    form_of,
)

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

SCORES: tuple[PublishedScore, ...] = (*_FASTRE, *_CASREL, *_PMEI, *_RELU_NET)
"""Of the task `triples`."""

DOCUMENT_SCORES: tuple[PublishedDocumentScore, ...] = _BERT_DOCRED
"""Of the task `docre`."""
