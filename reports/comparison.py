"""Which published figure may stand beside which measured one, and why another may not."""

from __future__ import annotations

from reports.load import Group, Row
from reports.published import SCORES, SPLIT_SIZES, PublishedScore, form_of
from suite.plan import EXAMPLES


def published_rows(group: Group, row: Row) -> list[PublishedScore]:
    """Published figures of the row's system on the group's dataset, with its kind of encoder."""
    return [
        score
        for score in SCORES
        if score.system == row.name
        and score.dataset == group.dataset.name
        and score.pretrained == (row.facts.pretrained is not None)
    ]


def _split_size(group: Group, split: str) -> str:
    """How many examples the split has here and in the papers, as far as both are known."""
    published = SPLIT_SIZES.get(group.dataset.name, {}).get(split)
    statistics = group.plan.statistics if describes(group) and group.plan else {}
    here = statistics.get(split, {}).get(EXAMPLES)
    if published is None or not isinstance(here, int):
        return ""
    return f" ({here:,} examples here, {published:,} published)"


def describes(group: Group) -> bool:
    """Whether `suite.json` tells of the very data of this group."""
    return group.plan is not None and group.plan.facts.fingerprints == group.dataset.fingerprints


def why_not(group: Group, score: PublishedScore) -> str | None:
    """Why the figure may not stand beside this group's, as a clause; None where it may."""
    if group.dataset.synthetic:
        return "the data are synthetic"
    reasons = [
        f"{split} is not the published split{_split_size(group, split)}"
        for split in ("train", "test")
        if group.dataset.published.get(split) is not True
    ]
    if score.form == "not stated":
        reasons.append(
            "the paper does not say whether its entities are whole names or last words alone"
        )
    elif score.form != form_of(group.dataset.name):
        reasons.append(f"published on {score.form}, measured on {form_of(group.dataset.name)}")
    return "; ".join(reasons) or None


def refusals(group: Group) -> list[str]:
    """A sentence for each system that has no published figure beside its own, with the reason."""
    lines = []
    for row in group.rows:
        rows = published_rows(group, row)
        if not rows:
            kind = "with" if row.facts.pretrained else "without"
            lines.append(
                f"{row.label}: this suite knows no published figure of it on this dataset {kind} "
                "a pretrained encoder."
            )
        for score in rows:
            reason = why_not(group, score)
            if reason is not None:
                lines.append(
                    f"{row.label}: not set beside {score.row} of {score.source} ({score.table}): "
                    f"{reason}."
                )
    return lines


def accepted(group: Group) -> list[tuple[Row, PublishedScore]]:
    """The pairs that may stand side by side."""
    return [
        (row, score)
        for row in group.rows
        for score in published_rows(group, row)
        if why_not(group, score) is None
    ]
