"""What ending trials early saved, and whether it can be trusted."""

from __future__ import annotations

from reports.cells import per_cent
from reports.search.order import distrust
from reports.sections.overview import listed, plural
from suite.records.search import SearchRecord

_RULES = {
    "median": "A trial is ended where its dev F1 is under the median of those before it",
    "halving": "A trial goes on from a rung where it is of the better half of those there",
    "hyperband": "As in successive halving, in brackets of which each begins at another rung",
    "none": "No trial is ended before its last epoch",
}


def write_pruning(record: SearchRecord) -> str:
    """The section's text."""
    rule = _RULES[record.pruner]
    if record.pruner == "none":
        return f"{rule}.\n"
    at = listed(record.rungs)
    first = "from epoch" if record.pruner == "median" else "at epoch"
    judged = f"{rule}, {first} {at} on" if record.pruner == "median" else f"{rule}; {first} {at}"
    if not record.rungs:
        return (
            f"{rule}; trials of {plural(record.protocol.epochs, 'epoch')} are too short for it.\n"
        )
    return f"{judged}. Published structures are never pruned.\n\n{_saved(record)}\n\n" + (
        f"{distrust(record)}\n"
    )


def _saved(record: SearchRecord) -> str:
    """Epochs that pruned trials did not train, at what an epoch of theirs took."""
    own = [t for t in record.trials if t.phase == "accuracy" and t.duplicate_of is None]
    pruned = [t for t in own if t.state == "pruned" and t.epochs]
    if not pruned:
        return f"None of {plural(len(own), 'trial')} was pruned: nothing was saved."
    left = [record.protocol.epochs - len(t.epochs) for t in pruned]
    spent = sum(t.spent.training + t.spent.evaluation for t in own)
    saved = sum(
        missing * (t.spent.training + t.spent.evaluation) / len(t.epochs)
        for missing, t in zip(left, pruned, strict=True)
    )
    share = saved / (saved + spent) if saved + spent else 0.0
    return (
        f"{len(pruned)} of {plural(len(own), 'trial')} were pruned, {plural(sum(left), 'epoch')} "
        f"before their last ones: about {saved / 60:.1f} min of training and evaluation, "
        f"{per_cent(share)} % of what all of them would have taken. What they would have come to "
        "is not known."
    )
