"""Trials whose worker has died: each goes back into the queue, and none is ever dropped.

What a trial's training had reached is gone on with. Where worker after worker dies over one trial
and its training comes no further, whoever takes it up next keeps it as failed, with what became of
them: to go on for ever would cost every worker, and the search its end.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import optuna
import psutil
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, TrialState

from runners.executors.lock import locked
from runners.search.attributes import DEATHS, DRIVER, RESULT, STRUCTURE, WORKER
from suite.errors import SuiteError
from suite.locks import held
from suite.privacy import without_home
from suite.records.run import read_history

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_DEATHS = 4
"""Of workers, one after another, over a trial whose training comes no further meanwhile."""
SETTLED_SECONDS = 10.0
"""Within which a worker has put its name to a trial that it took up."""
DRIVEN = ".driven"
"""File that a command holds while it answers for workers on other machines; names the command."""
DRIVEN_WAIT_SECONDS = 5.0
LONGEST_REASON = 200
_OF_ITS_WORKER = frozenset({WORKER, RESULT})

Judge: TypeAlias = Callable[[Mapping[str, Any]], str | None]
"""Tells what a worker died of; None where it lives, or where that is for others to say."""


class Deaths:
    """Notices the dead among the workers of a search.

    Args:
        out: the search's folder.
        judge: of workers.
    """

    def __init__(self, out: Path, judge: Judge) -> None:
        self.out, self._judge = out, judge
        self._since: dict[tuple[int, TrialState], float] = {}

    def put_back(self, study: optuna.Study, *, blame: bool = True) -> None:
        """Puts the trials of dead workers back into the queue.

        Args:
            study: of the trials.
            blame: whether the trial may be at fault; not where its worker was stopped.
        """
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            worker = trial.user_attrs.get(WORKER)
            died = self._never_named(trial) if worker is None else self._judge(worker)
            if died is None:
                continue
            try:
                study.tell(trial.number, state=TrialState.FAIL)
            except (ValueError, UpdateFinishedTrialError):  # another worker was quicker
                continue
            put_back(study, trial, self.out, died if blame else None)
        if any(map(self._settled, left_out(study.get_trials(deepcopy=False)))):
            with locked(self.out):
                put_back_the_failed(study, self.out)

    def _never_named(self, trial: FrozenTrial) -> str | None:
        return "a worker ended before it began" if self._settled(trial) else None

    def _settled(self, trial: FrozenTrial) -> bool:
        """Whether it has long been as it is; by this process's clock, for others may be wrong."""
        since = self._since.setdefault((trial._trial_id, trial.state), time.monotonic())
        return time.monotonic() - since >= SETTLED_SECONDS


def put_back(study: optuna.Study, trial: FrozenTrial, out: Path, died: str | None) -> None:
    """Puts a failed trial back into the queue.

    Args:
        study: of the trial.
        trial: that failed.
        out: the search's folder.
        died: what its worker died of; None where the trial has no part in it.
    """
    attributes = {k: v for k, v in trial.user_attrs.items() if k not in _OF_ITS_WORKER}
    if died is not None:
        attributes[DEATHS] = _one_more(trial, out, died)
    history = [*RetryHeartbeatStaleTrialCallback.retry_history(trial), trial.number]
    about = {"failed_trial": trial.number, **trial.system_attrs, "retry_history": history}
    study.add_trial(
        optuna.create_trial(
            state=TrialState.WAITING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs=attributes,
            system_attrs=about,
        )
    )


def put_back_the_failed(study: optuna.Study, out: Path) -> None:
    """Puts back what failed and is not in the queue again: whoever was to do so died before."""
    for trial in left_out(study.get_trials(deepcopy=False)):
        put_back(study, trial, out, None)


def left_out(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Trials that failed and have not been put back yet."""
    again = {n for t in trials for n in RetryHeartbeatStaleTrialCallback.retry_history(t)}
    return [t for t in trials if t.state == TrialState.FAIL and t.number not in again]


def give_back(
    study: optuna.Study, worker: Mapping[str, Any], out: Path, died: str | None = None
) -> None:
    """Puts the trial back into the queue that the end of this worker has failed."""
    for trial in left_out(study.get_trials(deepcopy=False)):
        if trial.user_attrs.get(WORKER) == worker:
            put_back(study, trial, out, died)


def _one_more(trial: FrozenTrial, out: Path, died: str) -> dict[str, Any]:
    """The deaths over a trial; those before its training came further do not count."""
    before = trial.user_attrs.get(DEATHS, {"epochs": 0, "said": []})
    epochs = _epochs(trial, out)
    said = [] if epochs > before["epochs"] else before["said"]
    reason = without_home(died.strip().partition("\n")[0])[:LONGEST_REASON]
    return {"epochs": epochs, "said": [*said, reason]}


def _epochs(trial: FrozenTrial, out: Path) -> int:
    key = trial.user_attrs.get(STRUCTURE)
    with suppress(SuiteError, OSError):
        return 0 if key is None else len(read_history(out / "trials" / key))
    return 0


def too_many_deaths(trial: optuna.Trial) -> str | None:
    """Why a trial is not tried any more in this command; None where it is."""
    said = trial.user_attrs.get(DEATHS, {}).get("said", [])
    if len(said) < MOST_DEATHS:
        return None
    different = "; ".join(dict.fromkeys(said))
    return f"{len(said)} workers ended over it, and its training came no further: {different}"


def this_host() -> str:
    """What tells this machine from others, without its name."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def this_worker() -> dict[str, Any]:
    """What tells this process from every other one, living or dead."""
    process = psutil.Process(os.getpid())
    return {"host": this_host(), "pid": process.pid, "born": process.create_time()}


def judge_here(out: Path, *, journal: bool) -> Judge:
    """Judges the workers of this machine, and those of a command on Ray that has ended.

    A database knows those of other machines by their missing heartbeat; a journal does not.

    Args:
        out: the search's folder.
        journal: whether its trials lie there, and not in a database.
    """

    def judge(worker: Mapping[str, Any]) -> str | None:
        if DRIVER in worker:
            return "its command ended" if journal and not _is_driven(out) else None
        if worker["host"] != this_host() or _alive(worker):
            return None
        return "its process ended"

    return judge


@contextmanager
def driven(out: Path, command: str) -> Iterator[None]:
    """Answers for workers on other machines as long as this process lives.

    The file also shows them whether they see the folder.

    Args:
        out: the search's folder.
        command: what tells this command from others.

    Raises:
        SuiteError: another command does so.
    """
    busy = SuiteError(
        "another command searches here, on Ray",
        where=out,
        remedy="Wait until it has ended, end it, or name another --out.",
    )
    with held(out / DRIVEN, busy, DRIVEN_WAIT_SECONDS) as file:
        os.ftruncate(file, 0)
        os.pwrite(file, command.encode(), 0)
        os.fsync(file)
        yield


def _is_driven(out: Path) -> bool:
    with suppress(SuiteError), held(out / DRIVEN, SuiteError("held")):
        return False
    return True


def _alive(worker: Mapping[str, Any]) -> bool:
    try:
        process = psutil.Process(worker["pid"])
        same = abs(process.create_time() - worker["born"]) < 1
    except psutil.NoSuchProcess:
        return False
    return same and process.status() != psutil.STATUS_ZOMBIE
