"""The form of `report.json`: a suite's figures for programs.

Names carry units. What a table shows as a reason stands under `missing`; no number is NaN.
"""

from __future__ import annotations

from typing import Literal

from suite.files import StrictModel
from suite.tasks.matching import Match

FORMAT = 1
"""Of the file; a change that a program could stumble over gives it another number."""

Kind = Literal["system", "upper bound", "outside"]


class OverSeeds(StrictModel):
    """A figure of a row, seed by seed.

    Attributes:
        mean: over all seeds; null where one of them is missing.
        standard_deviation: of a sample; null where there is no mean, and of a single seed.
        values: seed -> value, of the seeds that have one.
        missing: seed -> why it has none.
        shared: how many of the values are times that were taken on a machine on which other runs
            were under way; such times are longer than alone.
    """

    mean: float | None
    standard_deviation: float | None
    values: dict[int, float]
    missing: dict[int, str]
    shared: int = 0


class RowFigures(StrictModel):
    """A system's figures.

    Attributes:
        label: as the tables have it, unique within the group.
        system: its name in the registry; of predictions that were brought in, the name they have.
        kind: `system`, `upper bound` (it is given what systems have to find), or `outside` (it was
            not trained here, and its values are by file and not by seed).
        figures: name with unit -> figure.
        slices: kind of slice -> slice -> test F1 in per cent.
    """

    label: str
    system: str
    kind: Kind
    figures: dict[str, OverSeeds]
    slices: dict[str, dict[str, OverSeeds]]


class PointFigures(StrictModel):
    """A system's figures at an operating point.

    Attributes:
        label: of its row.
        rule: of leaving the encoder early; null at full depth.
        threshold: of the rule; null at full depth.
        figures: name with unit -> figure.
    """

    label: str
    rule: str | None
    threshold: float | None
    figures: dict[str, OverSeeds]


class MachineFigures(StrictModel):
    """Times of one machine, which compare with no others.

    Attributes:
        processor: its name.
        device: on which was trained.
        threads: of each run.
        times: label of a row -> name with unit -> figure.
        operating_points: of the systems that exit early.
    """

    processor: str
    device: str
    threads: int
    times: dict[str, dict[str, OverSeeds]]
    operating_points: tuple[PointFigures, ...]


class ComparedFigures(StrictModel):
    """The F1 of one row minus that of another, by a bootstrap over seeds and test examples.

    Attributes:
        first: label of the one.
        second: label of the other.
        match: the rule by which F1 is counted.
        difference_f1_points: first minus second.
        low_f1_points: lower end of the 95 % interval.
        high_f1_points: its upper end.
        counts_seeds: whether the interval counts the seeds' part; with one seed it does not.
        p: two-sided; null with one seed.
        p_holm: adjusted for all comparisons of the group; null where p is.
    """

    first: str
    second: str
    match: Match
    difference_f1_points: float
    low_f1_points: float
    high_f1_points: float
    counts_seeds: bool
    p: float | None
    p_holm: float | None


class BesideFigures(StrictModel):
    """A row's F1 beside the published one that it may be held against.

    Attributes:
        label: of the row.
        source: who printed it.
        table: where.
        split: that it is of.
        match: the rule by which it is counted; null where the task has one only.
        encoder: with which the paper had it.
        published_f1_percent: as printed.
        difference_f1_points: measured mean minus published; null where a seed is missing.
    """

    label: str
    source: str
    table: str
    split: str
    match: Match | None
    encoder: str
    published_f1_percent: float
    difference_f1_points: float | None


class GroupFigures(StrictModel):
    """Runs whose scores may share a table.

    Attributes:
        key: as names of figures and rows of `results.csv` have it.
        title: as headings have it.
        dataset: its name.
        task: what is asked of systems.
        synthetic: whether the suite made the data.
        published_splits: split -> whether it is the published one; null: none is published.
        matching: by what spans are compared.
        match: the rule by which epochs were chosen.
        protocol: digest of the protocol.
        rows: systems in the order of the tables.
        machines: where times were taken, the one with most runs first.
        comparisons: between systems.
        published: beside published figures.
    """

    key: str
    title: str
    dataset: str
    task: str
    synthetic: bool
    published_splits: dict[str, bool | None]
    matching: str
    match: Match
    protocol: str
    rows: tuple[RowFigures, ...]
    machines: tuple[MachineFigures, ...]
    comparisons: tuple[ComparedFigures, ...]
    published: tuple[BesideFigures, ...]


class ReportFigures(StrictModel):
    """All of `report.json`.

    Attributes:
        format: number of this form.
        suite: name of the suite.
        version: of relation-suite, with which it was run.
        created: when it was planned.
        warnings: what the report says first, line by line, in markdown.
        groups: in the order of the report.
    """

    format: int = FORMAT
    suite: str
    version: str
    created: str
    warnings: tuple[str, ...]
    groups: tuple[GroupFigures, ...]
