"""The forms of claims: each one function from the rows that tell of it to its parts, judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

from reports.cells import mean, measured, values
from reports.claims.costs import cost_of, ratio, why_no_evidence
from reports.claims.printed import Printed, Split, figure_of, printed
from reports.claims.rows import Chosen
from reports.claims.verdict import (
    Measured,
    Over,
    Verdict,
    judge_above,
    judge_alike,
    judge_count,
    judge_level,
    over_seeds,
)
from reports.converged import still_rising
from reports.differences import compare, f1_of_row
from reports.evidenced import EvidencedRun
from reports.load import Row
from reports.readings import metric_of
from reports.sections.caveats import MINIMUM_SEEDS
from reports.sections.differences import needed_phrase
from reports.sections.operating import at_point, chosen_points
from reports.sections.overview import plural
from reports.times import curve_taken
from suite.evaluation.intervals import Interval, difference_of
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
from suite.studies.study import Study
from suite.tasks.matching import Match
from suite.uncertainty.bootstrap import Estimate
from suite.uncertainty.power import more_items, more_seeds
from suite.uncertainty.textbook import against_published, mean_difference

ONE_SEED = "one seed, and nothing tells how far another would lie"


@dataclass(frozen=True)
class Part:
    """A comparison of a claim, judged.

    Attributes:
        printed: the comparison, and its size in the paper.
        verdict: on it.
        found: the figure; None where there is none.
        why: why it cannot be told, as a clause.
        note: what the figure is of besides, as a phrase.
    """

    printed: Printed
    verdict: Verdict
    found: Measured | None = None
    why: str = ""
    note: str = ""


@dataclass(frozen=True)
class Asked:
    """A claim of a study on a dataset, with the rows that tell of it.

    Attributes:
        parts: the comparisons of the claim.
    """

    study: Study
    dataset: str
    chosen: Chosen
    parts: list[Printed]

    def row(self, variant: str) -> Row:
        """The row of a variant."""
        return self.chosen.rows[variant]

    def match(self, match: Match | None) -> Match:
        """The rule that a claim names, or else the one that chose the epochs."""
        return match or self.chosen.group.match


def judge_form(test: object, study: Study, dataset: str, chosen: Chosen | str) -> tuple[Part, ...]:
    """The parts of a claim, judged.

    Args:
        test: the claim's form.
        study: whose variants tell of it.
        dataset: on which.
        chosen: the rows that tell of it, or why there are none.
    """
    parts = printed(test, study, dataset)
    if isinstance(chosen, str):
        return tuple(_untold(part, chosen) for part in parts)
    return tuple(_FORMS[type(test)](test, Asked(study, dataset, chosen, parts)))


def _untold(part: Printed, why: str) -> Part:
    return Part(part, "cannot be told here", why=why)


def _f1_difference(test: F1Difference, asked: Asked) -> Iterator[Part]:
    """One variant above others."""
    for other, part in zip(test.than, asked.parts, strict=True):
        pair = (test.higher, other)
        found = _difference(asked, pair, test.match, test.split, test.part)
        if isinstance(found, str):
            yield _untold(part, found)
        else:
            told = None if test.above else found
            yield _above(part, _in_points(found), test.above, asked, pair, told)


def _f1_alike(test: F1Alike, asked: Asked) -> Iterator[Part]:
    """Variants that differ by no more than so much."""
    for other, part in zip(test.others, asked.parts, strict=True):
        pair = (test.variant, other)
        found = _difference(asked, pair, None, test.split)
        if isinstance(found, str):
            yield _untold(part, found)
            continue
        figure = _in_points(found)
        verdict = judge_alike(figure, test.within, asked.chosen.ground(*pair))
        undecided = f"the interval lies neither within {test.within:g} points nor beyond them"
        why = undecided if figure.counts_seeds else ONE_SEED
        yield Part(part, verdict, figure, why if verdict == "cannot be told here" else "")


def _f1_level(test: F1Level, asked: Asked) -> Iterator[Part]:
    """A variant's F1 against the one that is printed."""
    (part,) = asked.parts
    figure = figure_of(asked.study, asked.dataset, test.variant, test.match, test.split)
    match = asked.match(test.match if figure is None else figure.match or test.match)
    row = asked.row(test.variant)
    found = f1_of_row(_seen_as(row, test.split), match)
    if part.value is None or found is None:
        yield _untold(part, "its study prints none" if found else "its runs kept no predictions")
        return
    level, ground = _in_points(found), asked.chosen.ground()
    verdict, why = judge_level(level, part.value, ground), ""
    if rising := _rising([row], match):
        verdict, why = "cannot be told here", rising
    elif ground.unlike:
        why = "a level is that of the paper's own data and resources"
    elif verdict == "cannot be told here":
        why = "the interval is too wide" if level.counts_seeds else ONE_SEED
    yield Part(part, verdict, level, why)


def _gain(test: Gain, asked: Asked) -> Iterator[Part]:
    """One difference above another; the two are taken for independent."""
    (part,) = asked.parts
    found = [_difference(asked, pair, test.match, "test") for pair in (test.larger, test.than)]
    told = [one for one in found if isinstance(one, Estimate)]
    if len(told) < len(found):
        yield _untold(part, next(one for one in found if isinstance(one, str)))
        return
    both = difference_of(*(Interval(one.value, one.low, one.high) for one in told))
    over: Over = "seeds and examples" if all(one.counts_seeds for one in told) else "examples"
    figure = Measured(100 * both.value, 100 * both.low, 100 * both.high, over)
    yield _above(part, figure, 0.0, asked, (*test.larger, *test.than))


def _cost_ratio(test: CostRatio, asked: Asked) -> Iterator[Part]:
    """Costs as multiples of others."""
    for (cheap, dear), part in zip(product(test.than, test.more), asked.parts, strict=True):
        if lacking := asked.chosen.lacking(dear, cheap):
            yield _untold(part, lacking)
            continue
        rows = (asked.row(dear), asked.row(cheap))
        found = ratio(*rows, test.cost)
        if isinstance(found, str):
            yield _untold(part, found)
        elif why := why_no_evidence(rows, test.cost):
            only = Measured(found.value, found.value, found.value, "one run")
            yield Part(part, "cannot be told here", only, why)
        else:
            yield _above(part, found, test.above, asked, (dear, cheap))


def _parameters(test: ParameterCount, asked: Asked) -> Iterator[Part]:
    """A count of parameters against the one that is printed; no seed changes it."""
    (part,) = asked.parts
    found = mean(cost_of(asked.row(test.variant), "parameters_thousands"))
    if part.value is None or found is None:
        yield _untold(part, "its study prints none" if found else "not recorded")
    else:
        figure = Measured(found, found, found, "nothing varies")
        yield Part(part, judge_count(found, part.value), figure)


def _measure_difference(test: MeasureDifference, asked: Asked) -> Iterator[Part]:
    """A measure of dev, over seeds; no interval counts the examples of a ranking."""
    metric = asked.chosen.group.task.metric(test.measure)
    for other, part in zip(test.than, asked.parts, strict=True):
        pair = (test.higher, other)
        lacking = asked.chosen.lacking(*pair)
        if metric is None or lacking:
            yield _untold(part, lacking or f"its task has no measure `{test.measure}`")
            continue
        read = partial(metric_of, metric=metric, split="dev")
        first, second = (measured(values(asked.row(name), read)) for name in pair)
        if first is None or second is None:
            yield _untold(part, "a seed is missing, or has none")
        elif min(len(first), len(second)) < 2:
            value = first[0] - second[0]
            one = Measured(value, value, value, "one run")
            yield Part(part, "cannot be told here", one, ONE_SEED)
        else:
            yield _above(part, over_seeds(mean_difference(first, second)), 0.0, asked, pair)


def _early_exits(test: EarlyExits, asked: Asked) -> Iterator[Part]:
    """The speed-up in wall clock at the point that dev chooses as the fastest."""
    (part,) = asked.parts
    row = asked.row(test.variant)
    points = chosen_points(row)
    if isinstance(points, str):
        yield _untold(part, points)
        return
    _, fastest = points
    found = measured(at_point(row, fastest, "speed-up"))
    ways = [curve_taken(run.record) for run in row.complete]
    if found is None or any(way is None or way.shared for way in ways):
        yield _untold(part, "its points were not timed alone")
    else:
        yield replace(_over_runs(part, found, 1.0, asked), note=f"at {fastest.words}")


def _word_classes(test: WordClasses, asked: Asked) -> Iterator[Part]:
    """Classes of words apart, over seeds; each run's means are over its whole test set."""
    means = [
        {e.word_class: e.mean for e in run.held.explained if e.measure == test.measure}
        for run in asked.row(test.variant).complete
        if isinstance(run, EvidencedRun)
    ]
    for other, part in zip(test.than, asked.parts, strict=True):
        found = [m[test.higher] - m[other] for m in means if {test.higher, other} <= m.keys()]
        if found:
            yield _over_runs(part, found, 0.0, asked)
        else:
            yield _untold(part, "no run was explained with a parser (`explain-run`)")


_FORMS: Mapping[type, Callable[[Any, Asked], Iterator[Part]]] = {
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
"""Form -> what judges claims of it."""


def _seen_as(row: Row, split: Split, part: str | None = None) -> Row:
    """The row with the counts of a split, or of a part of test."""
    runs = (
        replace(run, split=split, part=part) for run in row.runs if isinstance(run, EvidencedRun)
    )
    return replace(row, runs=tuple(runs))


def _difference(
    asked: Asked,
    pair: tuple[str, str],
    match: Match | None,
    split: Split,
    part: str | None = None,
) -> Estimate | str:
    """The first of a pair above the second, or why that is not told."""
    if lacking := asked.chosen.lacking(*pair):
        return lacking
    rule = asked.match(match)
    rows = [asked.row(name) for name in pair]
    if rising := _rising(rows, rule):
        return rising
    pairs, refused = compare([_seen_as(row, split, part) for row in rows], rule)
    return pairs[0].difference if pairs else refused[0]


def _rising(rows: list[Row], match: Match) -> str:
    """Which rows still rose at the end of training, as a clause; empty where none did."""
    names = [f"`{row.label}`" for row in rows if still_rising(row, match)]
    return f"{' and '.join(names)} still rose when training ended" if names else ""


def _in_points(found: Estimate) -> Measured:
    over: Over = "seeds and examples" if found.counts_seeds else "examples"
    return Measured(100 * found.value, 100 * found.low, 100 * found.high, over)


def _over_runs(part: Printed, found: list[float], bound: float, asked: Asked) -> Part:
    """A figure of each run, above a bound in the mean over runs."""
    if len(found) < MINIMUM_SEEDS:
        one = Measured(found[0], found[0], found[0], "one run")
        why = f"{plural(len(found), 'run')}, where an interval takes {MINIMUM_SEEDS}"
        return Part(part, "cannot be told here", one, why)
    return _above(part, over_seeds(against_published(found, bound), bound), bound, asked)


def _above(
    part: Printed,
    found: Measured,
    bound: float,
    asked: Asked,
    variants: Sequence[str] = (),
    estimate: Estimate | None = None,
) -> Part:
    """A figure held against what it has to exceed.

    Args:
        part: the comparison.
        found: the figure.
        bound: what it has to exceed.
        asked: the claim.
        variants: that are compared; none where the claim is of one.
        estimate: the figure, where more seeds or examples can be counted out from it.
    """
    verdict = judge_above(found, bound, part.value, asked.chosen.ground(*variants))
    if verdict != "cannot be told here":
        return Part(part, verdict, found)
    if not found.counts_seeds:
        return Part(part, verdict, found, ONE_SEED)
    if found.high < bound:
        return Part(part, verdict, found, "a stand-in on one side alone may be what it comes from")
    why = f"the interval holds {bound:g}"
    if estimate is not None and estimate.value:
        seeds = needed_phrase(more_seeds(estimate), "seed")
        items = needed_phrase(more_items(estimate), asked.chosen.group.unit)
        why = f"{why}; a difference of this size takes {seeds}, or {items}"
    return Part(part, verdict, found, why)
