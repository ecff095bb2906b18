"""What of a complete run makes its score say little: too little data, too short a training."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from suite.records.run import RunRecord
from suite.tasks.registry import find_task

FEW_STEPS = 300
"""Below it, no system here has learnt what its data can teach."""
FEW_ITEMS = 30
"""Gold items of dev below which one more right item moves F1 by points."""
NOTHING = 0.05
"""F1 below which nothing to speak of was learnt."""


def doubts(records: Iterable[RunRecord], name: Callable[[RunRecord], str]) -> list[str]:
    """One sentence per kind of doubt, with the runs that it is about.

    Args:
        records: of runs; those that are not complete are passed over.
        name: how a run is called.
    """
    found: dict[str, list[str]] = {}
    for record in records:
        if record.status == "complete":
            for kind, figure in _of(record):
                found.setdefault(kind, []).append(f"{name(record)}{figure}")
    return [f"{kind}: {'; '.join(runs)}." for kind, runs in found.items()]


def _of(record: RunRecord) -> Iterable[tuple[str, str]]:
    """Kinds of doubt with the figure that raises each."""
    training, task, match = record.training, find_task(record.dataset.task), record.protocol.match
    dev = None if record.dev is None else task.selected(record.dev, match)
    test = None if record.test is None else task.selected(record.test, match)
    if dev is not None and dev.gold < FEW_ITEMS:
        yield (
            "**Too small a dev set**: it chooses the epoch, and one more right answer moves its F1 "
            "by points",
            f" ({dev.gold} gold items)",
        )
    if training is not None and not training.epochs:
        return  # nothing was to be trained, for longer or at all
    if test is not None and test.gold and test.f1 < NOTHING:
        yield (
            "**Next to nothing was learnt**: train longer (`--epochs`), or with more data",
            f" (test F1 {100 * test.f1:.1f} %)",
        )
    if training is None:
        return
    if training.steps < FEW_STEPS:
        yield (
            f"**Few training steps**, under {FEW_STEPS}: the scores tell how quickly systems begin "
            "to learn, not how good they are",
            f" ({training.steps})",
        )
    if training.best_epoch == training.epochs:
        yield (
            "**The last epoch was the best on dev**: the score may have gone on rising",
            f" (epoch {training.epochs})",
        )
