"""Whether short trials order structures as long ones do: what a search's check says of that."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from scipy.stats import rankdata

from reports.cells import Pictures, add_row, image, markdown, number, per_cent
from reports.sections.overview import listed, plural
from suite.records.search import SearchRecord, TrialRecord, best_first
from suite.uncertainty.correlation import Correlation, rank_correlation

FEWEST = 4
"""Long trainings from which an order is judged."""
ENOUGH = 0.5
"""Kendall's tau that the whole interval has to reach: three of four pairs ordered alike."""
_DECAYS = (
    " The learning rate falls over all epochs of a training, so that the curve of a long one does "
    "not begin as the short one's."
)

Pair = tuple[TrialRecord, TrialRecord]
"""A trial, and the long training of its structure."""


def pairs(record: SearchRecord) -> list[Pair]:
    """The complete long trainings, each with its short trial, the best short trial first."""
    if record.check is None:
        return []
    longs = {_settings(t): t for t in best_first(record.check.trials)}
    shorts = best_first(record.trials)
    return [(t, longs[_settings(t)]) for t in shorts if _settings(t) in longs]


def _settings(trial: TrialRecord) -> str:
    return json.dumps(trial.settings, sort_keys=True)


def order_of(found: Sequence[Pair]) -> Correlation | None:
    """How alike short and long scores order the structures; None where that cannot be said."""
    if len(found) < FEWEST:
        return None
    order = rank_correlation([_f1(s) for s, _ in found], [_f1(t) for _, t in found])
    return None if math.isnan(order.tau) else order


def order_after(found: Sequence[Pair], epoch: int) -> Correlation | None:
    """As `order_of`, of dev F1 after one epoch of the long trainings and their final one."""
    if len(found) < FEWEST:
        return None
    order = rank_correlation([_after(t, epoch) for _, t in found], [_f1(t) for _, t in found])
    return None if math.isnan(order.tau) else order


def _f1(trial: TrialRecord) -> float:
    return trial.dev_f1 or 0.0


def _after(trial: TrialRecord, epoch: int) -> float:
    """Dev F1 after an epoch, or after the last one where patience ended the training before."""
    return trial.epochs[min(epoch, len(trial.epochs)) - 1]


def verdict(order: Correlation | None, epochs: int) -> str:
    """A sentence on whether trials of so many epochs can be trusted to order structures."""
    if order is None:
        return "Too few long trainings ended, or too many with equal scores, to tell their order."
    short = f"trials of {plural(epochs, 'epoch')}"
    if order.low >= ENOUGH:
        return f"**Here {short} order structures as long trainings do.**"
    if order.low > 0:
        return (
            f"**Here {short} order structures better than chance, and not as long trainings do**: "
            "their best are candidates, no ranking."
        )
    if order.high < 0:
        return f"**Here {short} order structures against what long trainings say.**"
    return (
        f"**That {short} order structures as long trainings do is not shown here**: the interval "
        "holds 0, the order of chance."
    )


def write_order(record: SearchRecord, pictures: Pictures) -> str:
    """The section's text; empty where no check was asked for."""
    check = record.check
    if check is None:
        return ""
    found, epochs = pairs(record), record.protocol.epochs
    left = len(check.trials) - len(found)
    order = order_of(found)
    parts = [
        f"{plural(len(found), 'structure')}, from the best complete trial to the worst in equal "
        f"parts, trained again from scratch for at most {plural(check.epochs, 'epoch')} in place "
        f"of {epochs}" + (f"; {left} more have no score" if left else "") + ".",
        verdict(order, epochs) + ("" if order is None else f" {_said(order)}"),
    ]
    if order is not None:
        parts.append(_loss(found))
    parts.append(
        "Both trainings of a structure have the same seed: what is chance in both makes them look "
        "more alike than two seeds would. Pruned structures are not among them."
        + (_DECAYS if record.protocol.schedule == "linear" else "")
    )
    text = "\n\n".join(parts) + "\n\n" + _table(found, check.epochs, epochs)
    if order is not None:
        text += "\n" + _by_epoch(record, found)
    return text + image(pictures, "order", "dev F1 of short trials against that of long trainings")


def _said(order: Correlation) -> str:
    return (
        f"Kendall's tau is {order.tau:.2f} (95 % interval {order.low:.2f} to {order.high:.2f}, "
        f"bootstrap over structures): of two structures, both have the same one ahead in "
        f"{per_cent(order.concordant)} % of pairs."
    )


def _loss(found: Sequence[Pair]) -> str:
    """What choosing by short trials costs."""
    first, best = found[0][1], max((long for _, long in found), key=_f1)
    name = {long.key: short.name for short, long in found}
    if first.key == best.key:
        return f"The best of them in the short trials, {found[0][0].name}, is the best in the end."
    lost = 100 * (_f1(best) - _f1(first))
    return (
        f"The best of them in the short trials, {name[first.key]}, ends {number(lost, 1)} points "
        f"of dev F1 under {name[best.key]}, the best of the long trainings."
    )


def _table(found: Sequence[Pair], long_epochs: int, epochs: int) -> str:
    shorts = rankdata([-_f1(s) for s, _ in found], method="min") if found else []
    longs = rankdata([-_f1(t) for _, t in found], method="min") if found else []
    table: dict[str, list[str]] = {}
    for (short, long), before, after in zip(found, shorts, longs, strict=True):
        cells = {
            "Trial": short.name + (f" ({short.label})" if short.label else ""),
            **short.structure,
            f"dev F1, {epochs} epochs (%)": per_cent(_f1(short)),
            "Rank": f"{before:.0f}",
            f"dev F1, {long_epochs} epochs (%)": per_cent(_f1(long)),
            "Rank in the end": f"{after:.0f}",
        }
        add_row(table, cells)
    return markdown(table) if table else ""


def _by_epoch(record: SearchRecord, found: Sequence[Pair]) -> str:
    """How much the order after each epoch says of the last, and of what halving would drop."""
    best = max((long for _, long in found), key=_f1)
    table: dict[str, list[str]] = {}
    for epoch in _epochs_told(record):
        order = order_after(found, epoch)
        if order is not None:
            ahead = sum(_after(t, epoch) > _after(best, epoch) for _, t in found)
            cells = {
                "Epoch": str(epoch),
                "Kendall's tau to the end": f"{order.tau:.2f}",
                "95 % interval": f"{order.low:.2f} to {order.high:.2f}",
                "Of the better half there": "yes" if ahead < len(found) / 2 else "**no**",
            }
            add_row(table, cells)
    if not table:
        return ""
    return (
        "The long trainings by themselves: dev F1 after an epoch against their final one, and "
        "whether the one that is best in the end is of the better half there, as halving would "
        "have it go on.\n\n" + markdown(table)
    )


def _epochs_told(record: SearchRecord) -> list[int]:
    """Powers of two, the rungs of the pruner, and the epochs of a trial."""
    assert record.check is not None
    last = record.check.epochs
    doubling = {2**i for i in range(last.bit_length())}
    return sorted(e for e in {*doubling, *record.rungs, record.protocol.epochs} if e < last)


def distrust(record: SearchRecord) -> str:
    """At which rungs of the pruner the order says too little to prune by; empty where none."""
    found = pairs(record)
    orders = {rung: order_after(found, rung) for rung in record.rungs}
    low = [f"{rung} (tau {o.tau:.2f})" for rung, o in orders.items() if o and o.low < ENOUGH]
    if low:
        rule = "the median rule" if record.pruner == "median" else "halving"
        return (
            f"**Pruning by {rule} is not to be trusted here**: at epoch {listed(low)} the order of "
            f"structures is not shown to be that of long trainings (tau of {ENOUGH:g} or more)."
        )
    if any(orders.values()):
        return (
            "At each epoch at which pruning begins, structures stand as long trainings have them."
        )
    return "Whether the order at that epoch is that of long trainings was not checked (`--check`)."
