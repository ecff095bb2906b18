"""What each pruner does on a pretended objective, in real studies."""

from __future__ import annotations

import optuna
import pytest
from optuna.trial import TrialState

from runners.search.pruning import make_pruner, rungs
from suite.records.search import PrunerName

EPOCHS = 16
SLOPES = [(7 * i) % 40 / 40 + 0.01 for i in range(40)]
"""Of trials whose scores rise, and never cross: what is good early is good in the end."""


def ended_after(name: PrunerName) -> list[int]:
    """The epoch after which each trial ended; its last one where it was not pruned."""
    study = optuna.create_study(
        study_name="pretended", direction="maximize", pruner=make_pruner(name, EPOCHS)
    )
    ended = []
    for slope in SLOPES:
        trial = study.ask()
        for epoch in range(1, EPOCHS + 1):
            trial.report(slope * epoch, epoch)
            if epoch < EPOCHS and trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                break
        else:
            study.tell(trial, slope * EPOCHS)
        ended.append(epoch)
    return ended


@pytest.mark.parametrize("name", ["median", "halving", "hyperband"])
def test_it_prunes_what_is_behind_and_never_the_best(name: PrunerName) -> None:
    ended = ended_after(name)
    pruned = [slope for slope, epoch in zip(SLOPES, ended, strict=True) if epoch < EPOCHS]
    assert len(pruned) > len(SLOPES) / 4
    assert max(SLOPES) not in pruned
    kept = [slope for slope in SLOPES if slope not in pruned]
    assert sum(pruned) / len(pruned) < sum(kept) / len(kept)


def test_halving_judges_at_its_rungs_alone() -> None:
    assert rungs("halving", EPOCHS) == (3, 6, 12)
    ended = ended_after("halving")
    assert {epoch for epoch in ended if epoch < EPOCHS} <= set(rungs("halving", EPOCHS))
    assert sum(ended) < 0.65 * EPOCHS * len(ended), "it saves epochs"


def test_hyperbands_brackets_begin_at_different_rungs() -> None:
    ended = set(ended_after("hyperband")) - {EPOCHS}
    assert len(ended) > 1
    assert ended <= set(rungs("hyperband", EPOCHS))


def test_none_prunes_nothing() -> None:
    assert set(ended_after("none")) == {EPOCHS}
    assert rungs("none", EPOCHS) == ()


def test_a_rung_is_before_the_last_epoch() -> None:
    assert rungs("halving", 6) == (2, 4)
    assert rungs("median", 60) == (12,)
    assert rungs("halving", 2) == ()
    assert rungs("halving", 3) == (2,)
