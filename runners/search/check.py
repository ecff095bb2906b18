"""Whether short trials order structures as long ones do: some are trained to the end as well.

The long trainings are trials of a study of their own, whose queue holds nothing but them, so that
any number of workers does them, and what a worker leaves undone goes back into the queue.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
import optuna
from optuna.pruners import NopPruner

from runners.executors.lock import locked
from runners.search.attributes import CHECKED
from runners.search.storage import IDENTITY
from suite.errors import SuiteError
from suite.records.search import Check, TrialRecord, best_first

if TYPE_CHECKING:
    from runners.search.search import Search

CHECK_EPOCHS = "check epochs"
FEWEST = 4
"""Structures of a check: of three, any order comes up once in six times."""
TIMES = 3
"""How many times the epochs of a trial a long training has, where nothing else is asked for."""


def check_epochs(count: int, asked: int | None, epochs: int) -> int:
    """The epochs of the long trainings, at most.

    Args:
        count: structures to be checked; 0: none.
        asked: the epochs asked for, or None.
        epochs: of a trial.

    Raises:
        SuiteError: there are too few structures, or the long trainings would not be longer.
    """
    if 0 < count < FEWEST:
        raise SuiteError(
            f"a check of {count} structures says nothing of their order",
            remedy=f"Give --check {FEWEST} or more.",
        )
    found = TIMES * epochs if asked is None else asked
    if count and found <= epochs:
        raise SuiteError(
            f"--check-epochs {found} is not more than the {epochs} epochs of a trial",
            remedy="Give more --check-epochs, or fewer --epochs.",
        )
    return found


def sample(trials: Sequence[TrialRecord], count: int, known: Collection[str]) -> list[TrialRecord]:
    """Structures to be checked, one of each of `count` equal parts of the trials by dev F1.

    Of the first part the best, of the last the worst, of the others the middle one; none of a part
    that holds one that is checked already, as that of a search that has had more trials since.

    Args:
        trials: of a search; those that are complete are sampled, each structure once.
        count: how many.
        known: keys of those that are checked, or are going to be.
    """
    ranked = best_first(trials)
    parts = [list(part) for part in np.array_split(np.arange(len(ranked)), count) if len(part)]
    chosen = []
    for number, part in enumerate(parts):
        if any(ranked[i].key in known for i in part):
            continue
        place = 0 if number == 0 else -1 if number == len(parts) - 1 else len(part) // 2
        chosen.append(ranked[part[place]])
    return chosen


def open_check(search: Search) -> optuna.Study:
    """The study of long trainings."""
    about = {CHECK_EPOCHS: search.request.check_epochs}
    return search.study("check", NopPruner(), ["maximize"], ["dev F1"], about)


def begin_check(search: Search) -> optuna.Study:
    """The study of long trainings, with what is to be checked in its queue."""
    study = open_check(search)
    with locked(search.out):
        known = {str(t.user_attrs.get(CHECKED)) for t in study.get_trials(deepcopy=False)}
        for trial in sample(search.trials(), search.request.check, known):
            study.enqueue_trial(trial.choices, {CHECKED: trial.key})
    return study


def check_of(search: Search) -> Check | None:
    """What came of the long trainings; None where none has ended."""
    found = tuple(t for t in search.ended() if t.phase == "check" and t.duplicate_of is None)
    study = search.begun().get("check")
    if study is None or not found:
        return None
    return Check(epochs=study.user_attrs[IDENTITY][CHECK_EPOCHS], trials=found)
