"""Where systems are right and wrong: F1 by slice and by relation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from reports.cells import Pictures, add_row, cell, image, markdown, values
from reports.load import Group
from reports.readings import NOT_LABELLED, labelled, slice_f1, slice_names
from reports.sections.overview import caption
from suite.quoting import quoted

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
