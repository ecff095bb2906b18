"""Whether scores mean something: their calibration, and what thresholds set on dev are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from reports.cells import (
    ABSENT,
    Pictures,
    Value,
    add_row,
    cell,
    image,
    markdown,
    mean,
    per_cent,
    seeds_cell,
)
from reports.judging import AnyRun, any_values, graded_of_row, judged_of, shown
from reports.load import AnyRow, Group
from reports.sections.overview import caption, findings, listed, plural
from suite.evaluation.calibration import (
    BINS,
    Graded,
    best_area,
    calibration_error,
    error_of_perfect_scores,
    kept_parts,
    risk_coverage,
    threshold_for,
)
from suite.evaluation.intervals import Interval, share_interval

GOALS = (0.90, 0.95)
"""Precision that is asked for on dev."""
EQUAL = "all scores are equal"


def scored_rows(group: Group) -> list[AnyRow]:
    """The rows whose scores tell their predictions apart."""
    return [row for row in group.scored if graded_of_row(row) is not None]


def _of_test(read: Callable[[Graded], float]) -> Callable[[AnyRun], Value | None]:
    def value(run: AnyRun) -> Value | None:
        if run.judged is None:
            return "no predictions were kept"
        return 100 * read(run.judged.graded) if run.judged.graded.varies else EQUAL

    return value


READINGS: dict[str, Callable[[Graded], float]] = {
    "Calibration error (points)": calibration_error,
    "of perfect scores": error_of_perfect_scores,
    "Mean score (%)": lambda graded: float(graded.score.mean()),
    "Precision (%)": lambda graded: float(graded.right.mean()),
    "Area under risk (%)": lambda graded: risk_coverage(graded).area,
    "at best": best_area,
}
"""Columns of the main table, of a run's predictions on test."""


def error_table(rows: Sequence[AnyRow]) -> str:
    """Calibration error and area under risk and coverage, beside what chance and order allow."""
    table: dict[str, list[str]] = {}
    for row in rows:
        cells = {"System": row.label, "Seeds": seeds_cell(row)}
        for heading, read in READINGS.items():
            cells[heading] = cell(any_values(row, _of_test(read)), 1)
        add_row(table, cells)
    return markdown(table)


class Kept(NamedTuple):
    """What a threshold of dev is worth on test, over the runs of a row.

    Attributes:
        thresholds: of each run.
        precision: on test of what is kept, runs summed.
        coverage: the share of test predictions that is kept.
    """

    thresholds: list[float]
    precision: Interval
    coverage: float

    def holds(self, goal: float) -> bool | None:
        """Whether test has the precision of dev; None where it is below as chance may have it."""
        if self.precision.high < goal:
            return False
        return True if self.precision.value >= goal else None


def kept_on_test(row: AnyRow, goal: float) -> Kept | str:
    """What the thresholds with a precision on dev keep on test, or why there is nothing to tell.

    Args:
        row: a system.
        goal: precision that is asked for on dev, as a share.
    """
    thresholds, parts, predicted = [], [], 0
    for run in row.complete:
        test, dev = run.judged, run.judged_dev
        if test is None or dev is None:
            return "its scores on dev were not kept"
        threshold = threshold_for(dev.graded, goal)
        if threshold is None:
            return f"dev reaches no {100 * goal:.0f} %"
        thresholds.append(threshold)
        parts.append(kept_parts(test.graded, threshold))
        predicted += len(test.graded.score)
    if len({len(part) for part in parts}) > 1:
        return "its runs have other test examples"
    whole = np.sum(parts, axis=0)
    if not whole[:, 1].any():
        return "keeps nothing of test"
    return Kept(thresholds, share_interval(whole), float(whole[:, 1].sum() / predicted))


VERDICTS: Mapping[bool | None, str] = {
    True: "kept",
    False: "**not kept**",
    None: "below, as chance may have it",
}


def threshold_table(rows: Sequence[AnyRow]) -> str:
    """For each goal the threshold of dev, and precision and coverage on test."""
    table: dict[str, list[str]] = {}
    for goal in GOALS:
        for row in rows:
            kept = kept_on_test(row, goal)
            cells = {
                "Precision on dev": f"{100 * goal:.0f} %",
                "System": row.label,
                "Seeds": seeds_cell(row),
            }
            if isinstance(kept, str):
                cells |= dict.fromkeys(("Threshold", "Precision on test (%)"), ABSENT)
                cells |= {"Predictions kept (%)": ABSENT, "On test": kept}
            else:
                cells |= {
                    "Threshold": cell(dict(enumerate(kept.thresholds)), 3),
                    "Precision on test (%)": shown(kept.precision),
                    "Predictions kept (%)": per_cent(kept.coverage),
                    "On test": VERDICTS[kept.holds(goal)],
                }
            add_row(table, cells)
    return markdown(table)


def finding(group: Group) -> str:
    """How far scores are from the truth, and which thresholds hold, in one sentence."""
    rows = scored_rows(group)
    errors = []
    for row in rows:
        value = mean(any_values(row, _of_test(calibration_error)))
        if value is not None:
            errors.append((value, row))
    text = ""
    if errors:
        best, worst = min(errors, key=lambda e: e[0]), max(errors, key=lambda e: e[0])
        floor = mean(any_values(best[1], _of_test(error_of_perfect_scores)))
        text += (
            f"the scores of {best[1].label} are {best[0]:.1f} points from its precision on "
            f"average ({floor:.1f} by chance alone)"
        )
        if len(errors) > 1:
            text += f", those of {worst[1].label} {worst[0]:.1f}"
        text += "; "
    text += "; ".join(_held(rows, goal) for goal in GOALS)
    return f"{text[:1].upper()}{text[1:]}."


def _held(rows: Sequence[AnyRow], goal: float) -> str:
    """Which systems keep on test the precision of dev."""
    found = {row.label: kept_on_test(row, goal) for row in rows}
    asked = {label: kept for label, kept in found.items() if isinstance(kept, Kept)}
    what = f"a threshold set on dev for {100 * goal:.0f} % precision"
    if not asked:
        return f"{what} could be set for none"
    held = [label for label, kept in asked.items() if kept.holds(goal)]
    below: dict[bool | None, list[str]] = {False: [], None: []}
    for label, kept in asked.items():
        if not kept.holds(goal):
            named = f"{label} ({per_cent(kept.precision.value)} %)"
            below[kept.holds(goal)].append(named)
    text = f"{what} holds on test for {len(held)} of {plural(len(asked), 'system')}"
    if below[False]:
        text += f", clearly not for {listed(below[False])}"
    if below[None]:
        text += f", and is missed as chance may have it by {listed(below[None])}"
    return text


def _part(group: Group, pictures: Pictures) -> str:
    rows = scored_rows(group)
    told = {row.label for row in rows}
    apart = [
        f"{row.label}: not told, {EQUAL}.\n"
        for row in group.scored
        if row.label not in told and any(len(judged.graded.score) for judged in judged_of(row))
    ]
    return (
        f"### {group.title}\n\n{caption(group)}\n"
        f"Of what is predicted on test, by the rule that selects. Calibration error: the distance "
        f"between mean score and precision, over {BINS} bins of equal mass, weighted by mass; *of "
        "perfect scores*: what chance would leave of it, were every score the true probability. "
        "Risk: the share of wrong predictions among the surest ones, at every coverage; its area "
        "is the mean over all coverages, *at best* were all right predictions surer than all wrong "
        "ones.\n\n"
        f"{error_table(rows)}\n"
        "A threshold is the lowest score of dev from which upwards predictions on dev are as "
        "precise as asked; test takes it as it is. In brackets 95 % intervals by drawing test "
        f"{group.unit}s, seeds summed; *not kept*: the interval lies below what was asked.\n\n"
        f"{threshold_table(rows)}\n"
        + "".join(apart)
        + image(pictures, f"{group.key}-calibration", f"{group.title}: calibration, risk, coverage")
    )


def section(groups: Sequence[Group], pictures: Pictures) -> str:
    """Calibration on each dataset whose predictions have scores; empty without any."""
    told = [group for group in groups if scored_rows(group)]
    if not told:
        return ""
    return findings(told, finding) + "\n".join(_part(group, pictures) for group in told)
