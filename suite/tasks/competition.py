"""Predicted facts in the form that the DocRED competition takes, `result.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from suite.tasks.examples import Document, Fact
from suite.tasks.items import Prediction


def competition_entries(
    documents: Sequence[Document], predictions: Sequence[Sequence[Prediction]]
) -> list[dict[str, Any]]:
    """One entry a predicted fact, to be written as a list of JSON objects.

    Args:
        documents: of the test file, in its order; entries name them by the file's own titles.
        predictions: facts of each document.

    Returns:
        Entries of `title`, `h_idx` and `t_idx` (indices into the document's `vertexSet`), `r`, and
        `evidence`: the sentences that a fact names, none where a system predicts none.
    """
    return [
        {
            "title": document.title,
            "h_idx": p.item.head,
            "t_idx": p.item.tail,
            "r": p.item.relation,
            "evidence": list(p.item.evidence),
        }
        for document, row in zip(documents, predictions, strict=True)
        for p in row
        if isinstance(p.item, Fact)
    ]
