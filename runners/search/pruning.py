"""By which rule a trial of the first phase is ended before its last epoch."""

from __future__ import annotations

from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
)

from suite.records.search import PrunerName

START_UP = 5
"""Complete trials before any is pruned by the median."""
WARM_UP_EPOCHS, WARM_UP_SHARE = 2, 0.2
"""Epochs, and share of the epochs asked for, after which a trial is pruned at the earliest."""
REDUCTION = 2
"""One in so many goes on from a rung of successive halving to the next."""
PRUNED_FOR: dict[PrunerName, str] = {
    "median": "under the median of the trials before",
    "halving": "not of the better half of those that came as far",
    "hyperband": "not of the better half of those of its bracket that came as far",
}


def warm_up(epochs: int) -> int:
    """Epochs after which a trial is pruned at the earliest."""
    return max(WARM_UP_EPOCHS, int(WARM_UP_SHARE * epochs))


def make_pruner(name: PrunerName, epochs: int) -> BasePruner:
    """Optuna's pruner of that name, for trainings of so many epochs at most.

    Never within `PatientPruner`, which prunes no score that rises, and these do. Halving is
    asynchronous (Li et al., MLSys 2020): nothing waits for a rung to fill.
    """
    first = warm_up(epochs)
    if name == "median":
        return MedianPruner(n_startup_trials=START_UP, n_warmup_steps=first)
    if name == "halving":
        return SuccessiveHalvingPruner(min_resource=first, reduction_factor=REDUCTION)
    if name == "hyperband":
        longest = max(first, epochs)
        return HyperbandPruner(min_resource=first, max_resource=longest, reduction_factor=REDUCTION)
    return NopPruner()


def rungs(name: PrunerName, epochs: int) -> tuple[int, ...]:
    """Epochs, before the last, at which the pruner first judges and then judges again.

    The median pruner judges after every epoch from the first of them on.
    """
    if name == "none":
        return ()
    found, rung = [], warm_up(epochs)
    while rung < epochs:
        found.append(rung)
        rung *= REDUCTION
    return tuple(found[:1] if name == "median" else found)
