"""Who is best, by how much, and whether it is more than chance of seeds and test sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reports.cells import ABSENT, add_row, markdown, measured, seeds_cell, values
from reports.comparison import accepted, f1_reader, refusals
from reports.differences import Compared, Differences, Standing, is_told
from reports.load import AnyRow, Group
from reports.readings import NOT_LABELLED, labelled
from reports.sections.caveats import MINIMUM_SEEDS
from reports.sections.convergence import ending_cell, not_final
from reports.sections.overview import caption, findings, listed
from suite.quoting import quoted
from suite.uncertainty.bootstrap import Estimate
from suite.uncertainty.power import Needed, more_items, more_seeds
from suite.uncertainty.resampling import SAMPLES
from suite.uncertainty.textbook import against_published

ALONE = "test set alone"
"""Marks an interval that lacks the seeds' part."""
ONE_SEED = "none: one seed"
"""What stands for a p-value where a system has one seed."""
HEADINGS = ("Difference in F1 (points)", "95 % interval", "p")

METHOD = (
    "F1 is the mean over seeds. Intervals and p-values are of a hierarchical bootstrap: test sets "
    f"drawn {SAMPLES:,} times, the same ones for all systems, and beside them the seeds, by the "
    "spread that was measured; they answer whether other seeds and another test set of this "
    "kind would show the same. Seeds are paired where both systems have them. With one seed "
    f"an interval counts the *{ALONE}* and there is no p-value: how far another seed would lie "
    "cannot be known. `p, Holm` is adjusted for all comparisons of the table. *Best in* is the "
    "share of draws in which the system has the highest F1 of those with several seeds. *To "
    "settle it*: how many more seeds of each system, or more test examples, would show a "
    "difference of the measured size with a power of 80 % at 5 %. Against published figures: a "
    "one-sample t-test over seeds, which takes the published figure as exact.\n"
)


def interval_cell(found: Estimate) -> str:
    """The interval of a difference in points, marked where it lacks the seeds' part."""
    ends = f"{100 * found.low:+.1f} to {100 * found.high:+.1f}"
    return ends if found.counts_seeds else f"{ends} ({ALONE})"


def difference_cells(found: Estimate) -> dict[str, str]:
    """A difference in F1 between two systems, in points."""
    cells = (f"{100 * found.value:+.1f}", interval_cell(found), _p(found.p))
    return dict(zip(HEADINGS, cells, strict=True))


def against(found: Sequence[Compared], key: str, reference: str) -> dict[str, str]:
    """The F1 of one row minus that of another, as cells; dashes where they were not compared.

    Args:
        found: what was compared.
        key: of the one, as plans have it.
        reference: of the other.
    """
    for pair in found:
        if (pair.first.key, pair.second.key) == (key, reference):
            return difference_cells(pair.difference)
        if (pair.second.key, pair.first.key) == (key, reference):
            return difference_cells(pair.difference.reversed())
    return dict.fromkeys(HEADINGS, ABSENT)


def _p(value: float | None) -> str:
    if value is None:
        return ONE_SEED
    if math.isnan(value):
        return "undefined: all seeds are equal"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def needed_phrase(needed: Needed, what: str) -> str:
    """What would settle a tie, in words.

    Args:
        needed: how many more.
        what: the noun, such as "seed" or "sentence".
    """
    if not needed.told:
        return "cannot be told with one seed"
    if needed.number == 0:  # such a test would mostly show it, and this one did not
        return f"no more {what}s than there are"
    if needed.number is not None:
        return f"{needed.number:,} more {what}{'' if needed.number == 1 else 's'}"
    if needed.most is not None:
        return f"more than {needed.most:,} {what}s"
    return f"no number of {what}s alone"


def _to_settle(found: Estimate, unit: str) -> str:
    """What would settle a comparison; a dash where it is settled."""
    if found.counts_seeds and not found.is_tie:
        return ABSENT
    seeds, items = more_seeds(found), more_items(found)
    if not seeds.told:
        return needed_phrase(seeds, "seed")
    if not found.value:
        return "nothing: the two are equal"
    return f"{needed_phrase(seeds, 'seed')}, or {needed_phrase(items, unit)}"


def standings_table(group: Group, found: Differences) -> str:
    """Each system's F1 with its interval, and how probable it is that it is the best."""
    table: dict[str, list[str]] = {}
    for standing in found.standings:
        f1, parts = standing.f1, standing.f1.components
        ends = f"{100 * f1.low:.1f} to {100 * f1.high:.1f}"
        share = f"{100 * parts.between_seeds / parts.total:.0f} %" if parts.total else ABSENT
        cells = {
            "System": standing.row.label,
            "Seeds": seeds_cell(standing.row),
            f"F1{group.rule} (%)": f"{100 * f1.value:.1f}",
            "95 % interval": ends if f1.counts_seeds else f"{ends} ({ALONE})",
            "of its variance, seeds": share if f1.counts_seeds else "not known",
            "Best in": "not told" if standing.best is None else f"{100 * standing.best:.0f} %",
            "Converged": ending_cell(standing.row, group.match),
        }
        add_row(table, cells)
    return markdown(table) if table else ""


def pairs_table(group: Group, found: Differences) -> str:
    """Every two systems, and a line for those that are not compared."""
    table: dict[str, list[str]] = {}
    for pair, adjusted in zip(found.pairs, found.adjusted, strict=True):
        cells = {
            "Systems": f"{pair.first.label} minus {pair.second.label}",
            "Seeds": pair.seeds,
            **difference_cells(pair.difference),
            "p, Holm": _p(adjusted),
            "To settle it": _to_settle(pair.difference, group.unit),
        }
        add_row(table, cells)
    text = markdown(table) if table else ""
    refused = "".join(f"- {reason}.\n" for reason in found.refused)
    return text + ("\n" if text and refused else "") + refused


def finding(group: Group, found: Differences) -> str:
    """Who leads, whether that is more than chance, and whether it is final."""
    if not labelled(group):
        return f"The test set is {NOT_LABELLED}: nothing to compare."
    leader = found.leader
    if not _comparable(group):
        its = f" (F1 {_f1(leader)} %)" if leader else ""
        return f"Only one system{its}: nothing to compare."
    if leader is None:
        return "No system can be ranked: of each, a seed or its predictions are missing."
    against_others = found.against(leader.row)
    if not against_others:
        return f"{quoted(leader.row.label)} is compared with none (F1 {_f1(leader)} %)."
    told = [_name(pair.other(leader.row)) for pair, p in against_others if is_told(pair, p)]
    open_ = [_name(pair.other(leader.row)) for pair, p in against_others if not is_told(pair, p)]
    first = f"{quoted(leader.row.label)} has the highest F1 ({_f1(leader)} %)"
    if not open_:
        first += f" and is told apart from {_all_of(told)}."
    elif any(pair.difference.counts_seeds for pair, _ in against_others):
        first += f" but cannot be told apart from {listed(open_)}."
    else:
        first += "; with one seed no difference can be told from chance."
    return f"{first} {not_final(found.rising)}".rstrip()


def _name(row: AnyRow) -> str:
    return quoted(row.label)


def _f1(standing: Standing) -> str:
    return f"{100 * standing.f1.value:.1f}"


def _all_of(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return "both others" if len(names) == 2 else f"all {len(names)} others"


def _between_systems(group: Group, found: Differences) -> str:
    shown = (
        f"{standings_table(group, found)}\n{pairs_table(group, found)}"
        if _comparable(group)
        else "Nothing to compare.\n"
    )
    return f"Test F1{group.rule}, between systems:\n\n{shown}"


def _comparable(group: Group) -> bool:
    return labelled(group) and len(group.systems) + len(group.outside) > 1


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


def section(groups: Sequence[Group], found: Mapping[str, Differences]) -> str:
    """Differences between systems, and to published figures; the findings first.

    Args:
        groups: the datasets.
        found: key of each -> its differences.
    """
    parts = [
        f"### {group.title}\n\n{caption(group)}\n{_between_systems(group, found[group.key])}\n"
        f"Against published figures:\n\n{against_papers(group)}"
        for group in groups
    ]
    begin = findings(groups, lambda group: finding(group, found[group.key]))
    return begin + "\n".join([METHOD, *parts])
