"""Where systems are right and wrong, and whether their differences are more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np

from reports.cells import (
    Pictures,
    add_row,
    cell,
    image,
    markdown,
    measured,
    seeds_cell,
    values,
)
from reports.comparison import accepted, f1_reader, refusals
from reports.load import AnyRow, Group, Row
from reports.readings import NOT_LABELLED, labelled, slice_f1, slice_names
from reports.sections.caveats import MINIMUM_SEEDS
from reports.sections.overview import caption, listed, plural
from suite.quoting import quoted
from suite.significance import Counts, Difference, against_published, holm, paired_bootstrap
from suite.tasks.matching import Match

FAMILIES = {
    "type": "Entity type",
    "nested": "Entities that share words with another of their sentence (nested), and those that "
    "do not (flat)",
    "distance": "Facts of which a sentence mentions both entities, and those across sentences",
    "seen": "Gold items that stand in train, and those that do not",
    "overlap": "Overlap pattern (a sentence may show both EPO and SEO)",
    "count": "Gold items in the sentence",
    "length": "Words in the sentence",
}
RELATIONS = "relation"
SHOWN_RELATIONS = 8


def slice_families(group: Group) -> list[str]:
    """The families of slices that runs recorded, but relations; empty without gold."""
    if not labelled(group):
        return []
    known = {name for r in group.runs if r.record.test for name in r.record.test.slices}
    return [f for f in FAMILIES if f in known] + sorted(known - set(FAMILIES) - {RELATIONS})


def slice_table(group: Group, family: str, names: Sequence[str] | None = None) -> str:
    """F1 of each slice, a column per system; of all slices where none are named."""
    gold = slice_names(group, family)
    table: dict[str, list[str]] = {}
    for name in gold if names is None else names:
        cells = {"Slice": quoted(name), "Gold items": f"{gold[name]:,}"}
        for row in group.scored:
            found = values(row, partial(slice_f1, family=family, name=name))
            cells[f"{row.label} ({row.n})"] = cell(found, 1)
        add_row(table, cells)
    return markdown(table)


def _relations(group: Group) -> str:
    gold = slice_names(group, RELATIONS)
    names = sorted((n for n in gold if gold[n]), key=lambda n: (-gold[n], n))
    if not names:
        return ""
    if len(names) <= 2 * SHOWN_RELATIONS:
        return f"All {len(names)} relations by frequency in test:\n\n" + slice_table(
            group, RELATIONS, names
        )
    return (
        f"The {SHOWN_RELATIONS} most frequent of {len(names)} relations in test:\n\n"
        f"{slice_table(group, RELATIONS, names[:SHOWN_RELATIONS])}\n"
        f"The {SHOWN_RELATIONS} rarest; a figure over a handful of gold items says little:\n\n"
        f"{slice_table(group, RELATIONS, names[-SHOWN_RELATIONS:])}"
    )


def slices_section(groups: Sequence[Group], pictures: Pictures) -> str:
    """Test F1 by slice for each dataset."""
    parts = []
    for group in groups:
        text = f"### {group.title}\n\n{caption(group)}\nTest F1 (%){group.rule}.\n"
        families = slice_families(group)
        for family in families:
            table = slice_table(group, family)
            text += f"\n{FAMILIES.get(family, family)}:\n\n{table}"
        if not families:
            why = "no run recorded any" if labelled(group) else f"the test set is {NOT_LABELLED}"
            text += f"\nNo slices: {why}.\n"
        relations = _relations(group)
        text += f"\n{relations}" if relations else ""
        text += image(pictures, f"{group.key}-slices", f"{group.title}: test F1 by slice")
        parts.append(text)
    return "\n".join(parts)


RowCounts = Mapping[tuple[str, int], Mapping[str, Counts]]
"""Label of a row and seed -> test example -> correct, predicted, gold."""


def _pooled(a: AnyRow, b: AnyRow, counts: RowCounts) -> tuple[Counts, Counts, str] | str:
    """Both systems' counts for each test example, and over what they are summed; or why not."""
    pooled = [row for row in (a, b) if isinstance(row, Row)]
    seeds = {row.label: [s for s in row.seeds if (row.label, s) in counts] for row in (a, b)}
    if len(pooled) == 2:
        both = [s for s in seeds[a.label] if s in seeds[b.label]]
        seeds = dict.fromkeys(seeds, both)
    if not all(seeds.values()):
        return "no seed of which both runs completed and kept their predictions"
    ids = list(counts[a.label, seeds[a.label][0]])
    runs = [counts[label, seed] for label, several in seeds.items() for seed in several]
    if not ids or any(run.keys() != set(ids) for run in runs):
        return "their predictions do not cover the same test examples"

    def pool(row: AnyRow) -> Counts:
        several = seeds[row.label]
        return sum(np.stack([counts[row.label, seed][i] for i in ids]) for seed in several)  # type: ignore[return-value]

    return pool(a), pool(b), _over(a, b, seeds)


def _over(a: AnyRow, b: AnyRow, seeds: Mapping[str, Sequence[int]]) -> str:
    """Over what the counts of two rows are summed."""
    if isinstance(a, Row) and isinstance(b, Row):
        return f"n={len(seeds[a.label])} ({listed(seeds[a.label])})"
    kinds = ("seed" if isinstance(row, Row) else "file" for row in (a, b))
    counted = [plural(len(seeds[row.label]), kind) for row, kind in zip((a, b), kinds, strict=True)]
    return f"{counted[0]} against {counted[1]}"


def _p(value: float) -> str:
    if math.isnan(value):
        return "undefined: all seeds are equal"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


class Compared(NamedTuple):
    """Two rows, the seeds that were compared, and how far the first is above the second."""

    first: AnyRow
    second: AnyRow
    seeds: str
    difference: Difference


def compare(rows: Sequence[AnyRow], match: Match) -> tuple[list[Compared], list[str]]:
    """Every two rows by a paired bootstrap, and a line for each pair that cannot be.

    They may stand in tables of their own, as long as they were tested on the same examples.
    """
    counts = {}
    for row in rows:
        for run in row.complete:
            found = run.counts(match)
            if found is not None:
                counts[row.label, run.record.seed] = found
    results = []
    refused = []
    for a, b in combinations(rows, 2):
        pooled = _pooled(a, b, counts)
        if isinstance(pooled, str):
            refused.append(f"- {a.label} and {b.label} are not compared: {pooled}.")
        else:
            results.append(Compared(a, b, pooled[2], paired_bootstrap(pooled[0], pooled[1])))
    return results, refused


def difference_cells(difference: Difference) -> dict[str, str]:
    """A difference in F1 between two systems, in points."""
    return {
        "Difference in F1 (points)": f"{100 * difference.difference:+.1f}",
        "95 % interval": f"{100 * difference.low:+.1f} to {100 * difference.high:+.1f}",
        "p": _p(difference.p),
    }


def against(found: Sequence[Compared], key: str, reference: str) -> dict[str, str]:
    """The F1 of one row minus that of another, as cells; dashes where they were not compared.

    Args:
        found: what was compared.
        key: of the one, as plans have it.
        reference: of the other.
    """
    for first, second, _, d in found:
        if (first.key, second.key) == (key, reference):
            return difference_cells(d)
        if (second.key, first.key) == (key, reference):
            return difference_cells(Difference(0 - d.difference, 0 - d.high, 0 - d.low, d.p))
    return dict.fromkeys(("Difference in F1 (points)", "95 % interval", "p"), "-")


class Comparisons(NamedTuple):
    """A group's systems, two by two.

    Attributes:
        found: what was compared.
        adjusted: the p of each, by Holm.
        refused: a line for each pair that cannot be compared.
    """

    found: list[Compared]
    adjusted: list[float]
    refused: list[str]


def compare_systems(group: Group) -> Comparisons | str:
    """Every two systems by a paired bootstrap, or why there is nothing to compare."""
    if not labelled(group):
        return f"The test set is {NOT_LABELLED}: nothing to compare."
    rows: list[AnyRow] = [*group.systems, *group.outside]
    if len(rows) < 2:
        return "Only one system: nothing to compare."
    found, refused = compare(rows, group.match)
    return Comparisons(found, list(holm([c.difference.p for c in found])), refused)


def compare_groups(groups: Sequence[Group]) -> dict[str, Comparisons | str]:
    """Key of each group -> what `compare_systems` finds."""
    return {group.key: compare_systems(group) for group in groups}


def pairs(compared: Comparisons | str) -> str:
    """The differences between every two systems."""
    if isinstance(compared, str):
        return f"{compared}\n"
    table: dict[str, list[str]] = {}
    for (a, b, seeds, difference), holms in zip(compared.found, compared.adjusted, strict=True):
        cells = {
            "Systems": f"{a.label} minus {b.label}",
            "Seeds": seeds,
            **difference_cells(difference),
            "p, Holm": _p(holms),
        }
        add_row(table, cells)
    text = markdown(table) if table else ""
    gap = "\n" if text and compared.refused else ""
    return text + gap + "".join(f"{line}\n" for line in compared.refused)


def against_papers(group: Group) -> str:
    """One-sample t-tests of the seeds against published figures, or why there is none."""
    table: dict[str, list[str]] = {}
    lines = [f"- {line}" for line in refusals(group)]
    for row, figure in accepted(group):
        numbers = measured(values(row, f1_reader(figure)))
        # Where the table's own rule is meant, its heading says so.
        other = f"{figure.match} match" if figure.match else figure.split
        other = "" if other == f"{group.match} match" else f", {other}"
        if numbers is None or len(numbers) < MINIMUM_SEEDS:
            lines.append(
                f"- {row.label}: not tested against {figure.printed('f1')}{other} of "
                f"{figure.source} ({figure.table}): a test over seeds needs {MINIMUM_SEEDS} "
                f"complete ones and no missing one, and there are {row.n.removeprefix('n=')}."
            )
            continue
        found = against_published(numbers, figure.numbers["f1"])
        cells = {
            "System": row.label,
            "Seeds": seeds_cell(row),
            "Published": f"{figure.printed('f1')}{other} "
            f"({figure.source}, {figure.table}; {figure.encoder})",
            "Difference in F1 (points)": f"{found.difference:+.1f}",
            "95 % interval": f"{found.low:+.1f} to {found.high:+.1f}",
            "p": _p(found.p),
        }
        add_row(table, cells)
    text = f"{markdown(table)}\n" if table else ""
    return text + "\n".join(lines) + "\n"


def significance_section(groups: Sequence[Group], compared: Mapping[str, Comparisons | str]) -> str:
    """Differences between systems, and to published figures.

    Args:
        groups: whose systems are compared.
        compared: key of each group -> what `compare_systems` found.
    """
    parts = [
        "Between systems: paired bootstrap over the test examples, 10,000 samples, each example's "
        "counts summed over the seeds that both systems have (of a system that was not trained "
        "here, over its files, and over all seeds of the other). It answers whether another test "
        "set of this kind would show the difference; the spread between seeds is in section 2. `p, "
        "Holm` is adjusted for all comparisons of the table. Against published figures: a "
        "one-sample t-test over seeds, which takes the published figure as exact.\n"
    ]
    parts += [
        f"### {group.title}\n\n{caption(group)}\nTest F1{group.rule}, between systems:\n\n"
        f"{pairs(compared[group.key])}\nAgainst published figures:\n\n{against_papers(group)}"
        for group in groups
    ]
    return "\n".join(parts)
