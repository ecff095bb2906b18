"""All published figures that the suite knows: those of every study file, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from suite.studies.figures import Figure
from suite.studies.study import Study, all_studies, find_study, study_paths


def published_figures() -> tuple[Figure, ...]:
    """The figures of all studies; one that several tables print stands once, with its places.

    Raises:
        SuiteError: a study file does not hold a study.
    """
    return _figures(study_paths())


@cache
def _figures(paths: Sequence[Path]) -> tuple[Figure, ...]:
    found: dict[tuple[object, ...], list[Figure]] = {}
    for path in paths:
        for figure in find_study(path.stem).figures:
            same_place = found.setdefault(_place(figure), [])
            for i, other in enumerate(same_place):
                if _agree(figure, other):
                    same_place[i] = _joined(other, figure)
                    break
            else:
                same_place.append(figure)
    return tuple(figure for figures in found.values() for figure in figures)


def _place(figure: Figure) -> tuple[object, ...]:
    """What must be equal for two tables to print the same row."""
    return (
        figure.source,
        figure.row,
        figure.system,
        figure.dataset,
        figure.split,
        figure.match,
        figure.form,
        figure.encoder,
        figure.origin,
        figure.train_share,
    )


def _agree(one: Figure, other: Figure) -> bool:
    """Whether they share numbers, and no number is printed in two ways."""
    common = one.numbers.keys() & other.numbers.keys()
    sizes = {one.batch_size, other.batch_size} - {None}
    return (
        bool(common) and len(sizes) < 2 and all(one.numbers[m] == other.numbers[m] for m in common)
    )


def _joined(first: Figure, second: Figure) -> Figure:
    """One figure at both places; the table that is compared by system says what the row is."""
    by_system = first.compared_by == "system" or second.compared_by != "system"
    lead, other = (first, second) if by_system else (second, first)
    return replace(
        lead,
        tables=tuple(dict.fromkeys((*first.tables, *second.tables))),
        batch_size=lead.batch_size if lead.batch_size is not None else other.batch_size,
        device=lead.device or other.device,
        reference=first.reference or second.reference,
        numbers={**lead.numbers, **other.numbers},
    )


def studies_that_count(dataset: str) -> list[Study]:
    """The studies whose paper counts something in a dataset."""
    return [study for study in all_studies() if dataset in study.counted]


def split_sizes(dataset: str, split: str) -> list[int]:
    """How many examples the papers count in a split, each number once."""
    counted = (getattr(s.counted[dataset], split) for s in studies_that_count(dataset))
    return list(dict.fromkeys(size for size in counted if size is not None))


def same_texts(dataset: str) -> str | None:
    """The published dataset whose texts the suite's dataset annotates anew; None: there is none."""
    return next(
        (s.same_texts[dataset] for s in all_studies() if dataset in s.same_texts),
        None,
    )
