"""Recall by what train knew of a gold item, and how systems do where entities have other names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reports.cells import Pictures, add_row, image, markdown, seeds_cell
from reports.judging import (
    Summed,
    compared,
    familiar_counts,
    points,
    scores_of,
    shown,
    shown_points,
)
from reports.load import AnyRow, Group, Row
from reports.sections.overview import caption, findings, listed
from reports.sections.swapped import has_swaps, swap_finding, swaps
from suite.evaluation.intervals import (
    Interval,
    Parts,
    difference_of,
    share_difference,
    share_interval,
)

LEAST = 10
"""Gold items of a test set that a bin holds at least, where a loss is told from it."""
CLAIMANT = "fastre"
"""The system whose paper says that it generalises better (FastRE, section 3.7)."""
RECALL, PRECISION = (0, 2), (0, 1)
"""Columns of counts: some of them, and of how many."""
Beside: TypeAlias = Mapping[str, Sequence[tuple[AnyRow, Interval]]]
"""`less`, `more` and `like` -> the systems than which one loses so much, with the difference."""


@dataclass(frozen=True)
class Binned:
    """A row with its counts by what train knew.

    Attributes:
        row: a system.
        summed: its counts, over its seeds.
    """

    row: AnyRow
    summed: Summed

    def share(self, name: str, columns: tuple[int, int]) -> Interval | None:
        """Recall or precision of a bin; None where there is nothing to divide by."""
        parts = self.summed.counts[name][:, columns]
        return share_interval(parts) if parts[:, 1].any() else None

    def told(self, name: str, columns: tuple[int, int]) -> str:
        """A share as a cell: with its interval where it is of `LEAST` items or more."""
        share, whole = self.share(name, columns), int(self.summed.counts[name][:, columns[1]].sum())
        if share is None:
            return "nothing predicted"
        return shown(share) if whole >= LEAST else f"{100 * share.value:.1f} (of {whole})"


def known_rows(group: Group) -> list[Binned]:
    """The rows whose predictions tell what train knew of gold that is there."""
    found = []
    for row in group.scored:
        summed = familiar_counts(row)
        if summed is not None and any(c[:, 2].any() for c in summed.counts.values()):
            found.append(Binned(row, summed))
    return found


def gold_of(group: Group, rows: Sequence[Binned]) -> dict[str, int]:
    """Gold items of the test set in each bin, the best known first; empty bins are left out."""
    first = rows[0]
    runs = sum(run.judged is not None for run in first.row.complete)
    counts = {
        name: scores_of(first.summed.counts[name]).gold // runs for name in group.task.familiarities
    }
    return {name: count for name, count in counts.items() if count}


def ends(group: Group, rows: Sequence[Binned]) -> tuple[str, str] | None:
    """The best and the least known bin of `LEAST` gold items or more; None where it is one."""
    large = [name for name, count in gold_of(group, rows).items() if count >= LEAST]
    return (large[0], large[-1]) if len(large) > 1 else None


def loss(known: Binned, first: str, last: str) -> Interval | None:
    """How much recall falls from a bin to another."""
    high, low = known.share(first, RECALL), known.share(last, RECALL)
    return None if high is None or low is None else difference_of(high, low)


def loss_against(one: Binned, other: Binned, first: str, last: str) -> Interval | None:
    """How much more recall one system loses than another; None where tests or seeds differ."""
    differences = []
    for name in (first, last):
        own = one.summed.counts[name][:, RECALL]
        same = _in_order(other.summed, one.summed.ids, name)
        if same is None or not own[:, 1].any():
            return None
        differences.append(share_difference(own, same))
    return difference_of(*differences)


def _in_order(summed: Summed, ids: tuple[str, ...], name: str) -> Parts | None:
    place = {example: row for row, example in enumerate(summed.ids)}
    if place.keys() != set(ids):
        return None
    found: Parts = summed.counts[name][:, RECALL][[place[example] for example in ids]]
    return found


def finding(group: Group) -> str:
    """How recall falls from what train has to what it has nothing of, in one sentence."""
    rows = known_rows(group)
    between = ends(group, rows)
    if between is None:
        return "Nearly all gold is alike to train; no loss of recall can be told."
    first, last = between
    claimant = _claimant(rows)
    chosen = claimant or rows[0]
    fall = loss(chosen, first, last)
    left = chosen.share(last, RECALL)
    assert fall is not None
    assert left is not None  # both bins have gold
    text = (
        f"From *{first}* to *{last}* the recall of {chosen.row.label} falls by "
        f"{shown(fall)} points, to {100 * left.value:.1f} %"
    )
    ranked = compared(group)
    others = [known for known in rows if known is not chosen and known.row.label in ranked]
    if not others:
        return f"{text}; there is no other system to compare that with."
    beside = _beside(chosen, others, first, last)
    claim = _verdict(beside) if claimant is not None else ""
    return f"{text}{_against(beside)}{claim}."


def _claimant(rows: Sequence[Binned]) -> Binned | None:
    """FastRE under its own settings, or a variant of it where there is no such row."""
    own = [(k, k.row) for k in rows if isinstance(k.row, Row) and k.row.name == CLAIMANT]
    return next((k for k, row in own if row.facts.variant is None), own[0][0] if own else None)


def _beside(chosen: Binned, others: Sequence[Binned], first: str, last: str) -> Beside:
    found: dict[str, list[tuple[AnyRow, Interval]]] = {"less": [], "more": [], "like": []}
    for other in others:
        more = loss_against(chosen, other, first, last)
        if more is None:
            continue
        which = "less" if more.high < 0 else "more" if more.low > 0 else "like"
        found[which].append((other.row, more))
    return found


def _against(found: Beside) -> str:
    parts = [
        f"{words} "
        + listed(f"{row.label} (difference {points(100 * d.value)})" for row, d in found[which])
        for which, words in (
            ("less", "less than is lost by"),
            ("more", "more than is lost by"),
            ("like", "not told apart from what is lost by"),
        )
        if found[which]
    ]
    return f"; that is {', '.join(parts)}" if parts else ""


def _verdict(found: Beside) -> str:
    """Whether the claim of FastRE's paper, made against systems on BERT, holds here."""
    counts = {which: sum(_knows_texts(row) for row, _ in rows) for which, rows in found.items()}
    told = sum(counts.values())
    if not told:
        return ""
    less, more = counts["less"], counts["more"]
    if less == told:
        says = "which supports"
    elif more == told:
        says = "which contradicts"
    elif not less and not more:
        says = "which neither supports nor contradicts"
    else:
        says = f"with {less} of {told} systems on a pretrained encoder for and {more} against"
    return (
        f", {says} the claim of its paper that it generalises better than those on BERT (section "
        "3.7; test set alone)"
    )


def _knows_texts(row: AnyRow) -> bool:
    return isinstance(row, Row) and row.facts.encoder_kind == "pretrained transformer"


def shares_table(
    group: Group, rows: Sequence[Binned], columns: tuple[int, int], heading: str
) -> str:
    """Recall or precision of each bin, a column per system; bins without any are left out."""
    gold = gold_of(group, rows)
    table: dict[str, list[str]] = {}
    for name in group.task.familiarities:
        if not any(known.summed.counts[name][:, columns[1]].any() for known in rows):
            continue
        cells = {"What train has": name}
        if columns == RECALL:
            cells["Gold items"] = f"{gold[name]:,}"
        for known in rows:
            cells[f"{heading}, {known.row.label} ({known.row.n})"] = known.told(name, columns)
        add_row(table, cells)
    return markdown(table)


def loss_table(rows: Sequence[Binned], first: str, last: str) -> str:
    """The fall of recall between the two ends, and against the first row that is compared."""
    table: dict[str, list[str]] = {}
    reference = _claimant(rows) or rows[0]
    for known in rows:
        fall = loss(known, first, last)
        against = None if known is reference else loss_against(known, reference, first, last)
        add_row(
            table,
            {
                "System": known.row.label,
                "Seeds": seeds_cell(known.row),
                "Recall lost (points)": "-" if fall is None else shown(fall),
                f"More than {reference.row.label} (points)": "-"
                if against is None
                else shown_points(against),
            },
        )
    return markdown(table)


def _bins(group: Group, rows: Sequence[Binned]) -> str:
    between = ends(group, rows)
    text = (
        f"Recall (%) of gold {group.task.items} by what train has of them, by the rule that "
        f"selects; in brackets 95 % intervals by drawing test {group.unit}s, seeds summed; "
        "where all or nothing was found, there is nothing to draw that differs.\n\n"
        f"{shares_table(group, rows, RECALL, 'Recall')}\n"
    )
    if between is not None:
        text += (
            f"From *{between[0]}* to *{between[1]}*, the outermost with {LEAST} gold items or "
            "more. A system that finds little of what train has cannot lose much of it: read the "
            "recall beside the loss. Intervals of differences take the two bins for independent "
            "samples.\n\n"
            f"{loss_table(rows, *between)}\n"
        )
    return text + (
        "Precision (%) of what is predicted, by what train has of it; a right prediction belongs "
        "where its gold does, and one with a wrong end names words that train seldom has:\n\n"
        f"{shares_table(group, rows, PRECISION, 'Precision')}"
    )


def _part(group: Group, pictures: Pictures) -> str:
    rows = known_rows(group)
    bins = _bins(group, rows) if rows else "No run told what train has of its items.\n"
    picture = image(
        pictures, f"{group.key}-generalisation", f"{group.title}: recall by what train has"
    )
    return (
        f"### {group.title}\n\n{caption(group)}\n{bins}{picture}"
        + ("\n" if swaps(group) else "")
        + swaps(group)
    )


def _first(group: Group) -> str:
    known = finding(group) if known_rows(group) else ""
    return f"{known}{swap_finding(group)}".strip()


def section(groups: Sequence[Group], pictures: Pictures) -> str:
    """Generalisation on each dataset of which something is known; empty without any."""
    told = [group for group in groups if known_rows(group) or any(map(has_swaps, group.rows))]
    if not told:
        return ""
    return findings(told, _first) + "\n".join(_part(group, pictures) for group in told)
