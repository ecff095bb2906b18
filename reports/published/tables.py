"""Published figures of the studies, as the rows that reports compare with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reports.published.types import (
    PublishedDocumentScore,
    PublishedEfficiency,
    PublishedScore,
)
from suite.studies.figures import Figure
from suite.studies.study import Study, StudyVariant, find_study

BATCH_SIZES = (1, 8, 128)


def _variant(study: Study, figure: Figure) -> StudyVariant | None:
    return None if figure.variant is None else study.variant(figure.variant)


def scores(*names: str) -> tuple[PublishedScore, ...]:
    """The rows of studies of the task `triples`."""
    studies = map(find_study, names)
    return tuple(_score(study, figure) for study in studies for figure in study.figures)


def _score(study: Study, figure: Figure) -> PublishedScore:
    assert figure.form is not None
    assert figure.match is not None
    variant, numbers = _variant(study, figure), figure.numbers
    return PublishedScore(
        source=figure.source,
        table=figure.table,
        row=figure.row,
        system=variant.system if variant else None,
        dataset=figure.dataset,
        form=figure.form,
        match=figure.match,
        encoder=figure.encoder,
        kind=figure.kind,
        precision=numbers.get("precision"),
        recall=numbers.get("recall"),
        f1=numbers["f1"],
        origin=figure.origin,
        settings=variant.accepts if variant else {},
        device=figure.device,
        train_minutes=numbers.get("train_minutes"),
        inference_seconds=numbers.get("inference_seconds"),
    )


def document_scores(*names: str) -> tuple[PublishedDocumentScore, ...]:
    """The rows of studies of the task `docre`; one that stands in several tables once."""
    found: dict[tuple[str, str], list[tuple[Study, Figure]]] = {}
    for study in map(find_study, names):
        for figure in study.figures:
            found.setdefault((figure.row, figure.split), []).append((study, figure))
    return tuple(_document_score(*places[0], _sections(places)) for places in found.values())


def _sections(places: list[tuple[Study, Figure]]) -> str:
    sections = [figure.table for _, figure in places]
    if len(sections) == 1:
        return sections[0]
    first, last = (sections[i].removeprefix("section ") for i in (0, -1))
    return f"sections {first} to {last}"


def _document_score(study: Study, figure: Figure, table: str) -> PublishedDocumentScore:
    variant, numbers = _variant(study, figure), figure.numbers
    assert variant is not None
    assert figure.kind is not None
    return PublishedDocumentScore(
        source=figure.source,
        table=table,
        row=figure.row,
        system=variant.system,
        dataset=figure.dataset,
        split=figure.split,
        encoder=figure.encoder,
        kind=figure.kind,
        batch_size={**study.protocol, **variant.protocol}["document_batch_size"],
        train_share=round(100 * variant.train_share),
        **_document_numbers(numbers),
        origin=figure.origin,
        settings=variant.accepts,
    )


def _document_numbers(numbers: Mapping[str, float]) -> dict[str, Any]:
    return {name: int(n) if name == "best_epoch" else n for name, n in numbers.items()}


def efficiency(name: str) -> tuple[PublishedEfficiency, ...]:
    """The rows of a study of parameters and of time an instance."""
    return tuple(_efficiency(find_study(name)))


def _efficiency(study: Study) -> Iterator[PublishedEfficiency]:
    for figure in study.figures:
        variant, numbers = _variant(study, figure), figure.numbers
        yield PublishedEfficiency(
            row=figure.row,
            system=variant.system if variant else None,
            dataset=figure.dataset,
            parameters=int(numbers["parameters_thousands"]),
            milliseconds={
                size: numbers[f"milliseconds_{size}"]
                for size in BATCH_SIZES
                if f"milliseconds_{size}" in numbers
            },
        )
