"""What a paper prints of a claim, comparison by comparison, as its study's file has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, TypeAlias

from suite.studies.claim import (
    CostRatio,
    EarlyExits,
    F1Alike,
    F1Difference,
    F1Level,
    Gain,
    MeasureDifference,
    ParameterCount,
    WordClasses,
)
from suite.studies.figures import MEASURES, PER_CENT, Figure
from suite.studies.study import Study
from suite.tasks.matching import Match

Unit: TypeAlias = Literal["points", "times", "%", "thousands", ""]
Split: TypeAlias = Literal["dev", "test"]


@dataclass(frozen=True)
class Printed:
    """A comparison that a claim consists of.

    Attributes:
        of, to: what is compared, and with what; `to` is empty where a claim is of one thing.
        unit: of its figures.
        value: the size in the paper; None where it states a direction alone.
    """

    of: str
    to: str
    unit: Unit
    value: float | None = None

    @property
    def label(self) -> str:
        """The comparison."""
        return f"{self.of} to {self.to}" if self.to else self.of


def printed(test: object, study: Study, dataset: str) -> list[Printed]:
    """The comparisons of a claim, in the order in which its form judges them."""
    return list(_OF[type(test)](test, study, dataset))


def figure_of(
    study: Study, dataset: str, variant: str, match: Match | None, split: Split
) -> Figure | None:
    """The printed figure of a variant; of several match rules without one named, the first."""
    found = (
        figure
        for figure in study.figures
        if (figure.variant, figure.dataset, figure.split) == (variant, dataset, split)
        and (match is None or figure.match in {match, None})
    )
    return next(found, None)


def _difference(
    study: Study, dataset: str, pair: tuple[str, str], match: Match | None, split: Split
) -> float | None:
    """How far the first's F1 is above the second's; None where that is not printed."""
    first, second = (figure_of(study, dataset, name, match, split) for name in pair)
    if first and second and "f1" in first.numbers and "f1" in second.numbers:
        return round(first.numbers["f1"] - second.numbers["f1"], 6)
    alone = None if second is None else second.numbers.get("f1_difference")
    return -alone if alone is not None and study.reference_of(pair[1]) == pair[0] else None


def _number(study: Study, dataset: str, variant: str, measure: str) -> float | None:
    figures = (f for f in study.figures if (f.variant, f.dataset) == (variant, dataset))
    return next((f.numbers[measure] for f in figures if measure in f.numbers), None)


def _f1_difference(test: F1Difference, study: Study, dataset: str) -> Iterator[Printed]:
    for other in test.than:
        size = test.points
        if size is None and test.part is None:
            size = _difference(study, dataset, (test.higher, other), test.match, test.split)
        yield Printed(f"`{test.higher}`", f"`{other}`", "points", size)


def _f1_alike(test: F1Alike, study: Study, dataset: str) -> Iterator[Printed]:
    for other in test.others:
        size = _difference(study, dataset, (test.variant, other), None, test.split)
        yield Printed(f"`{test.variant}`", f"`{other}`", "points", size)


def _f1_level(test: F1Level, study: Study, dataset: str) -> Iterator[Printed]:
    figure = figure_of(study, dataset, test.variant, test.match, test.split)
    yield Printed(
        f"`{test.variant}`", "", "%", None if figure is None else figure.numbers.get("f1")
    )


def _gain(test: Gain, study: Study, dataset: str) -> Iterator[Printed]:
    pairs = (test.larger, test.than)
    larger, than = (_difference(study, dataset, pair, test.match, "test") for pair in pairs)
    size = None if larger is None or than is None else round(larger - than, 6)
    (a, b), (c, d) = pairs
    yield Printed(f"`{a}` over `{b}`", f"`{c}` over `{d}`", "points", size)


def _cost_ratio(test: CostRatio, study: Study, dataset: str) -> Iterator[Printed]:
    for cheap, dear in product(test.than, test.more):
        costs = [_number(study, dataset, name, test.cost) for name in (dear, cheap)]
        size = None if None in costs else costs[0] / costs[1]  # type: ignore[operator]
        yield Printed(f"`{dear}`", f"`{cheap}`", "times", test.times or size)


def _parameters(test: ParameterCount, study: Study, dataset: str) -> Iterator[Printed]:
    size = _number(study, dataset, test.variant, "parameters_thousands")
    yield Printed(f"`{test.variant}`", "", "thousands", size)


def _measure_difference(test: MeasureDifference, study: Study, dataset: str) -> Iterator[Printed]:
    unit: Unit = "points" if MEASURES[test.measure] == PER_CENT else ""
    for other in test.than:
        sizes = [_number(study, dataset, name, test.measure) for name in (test.higher, other)]
        size = None if None in sizes else round(sizes[0] - sizes[1], 6)  # type: ignore[operator]
        yield Printed(f"`{test.higher}`", f"`{other}`", unit, size)


def _early_exits(test: EarlyExits, study: Study, dataset: str) -> Iterator[Printed]:
    del study, dataset
    yield Printed(f"`{test.variant}`", "", "times")


def _word_classes(test: WordClasses, study: Study, dataset: str) -> Iterator[Printed]:
    del study, dataset
    for other in test.than:
        yield Printed(test.higher, other, "")


_OF: Mapping[type, Callable[[Any, Study, str], Iterator[Printed]]] = {
    F1Difference: _f1_difference,
    F1Alike: _f1_alike,
    F1Level: _f1_level,
    Gain: _gain,
    CostRatio: _cost_ratio,
    ParameterCount: _parameters,
    MeasureDifference: _measure_difference,
    EarlyExits: _early_exits,
    WordClasses: _word_classes,
}
