"""A worker of a search: one process that tries structures until nothing is left to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from runners.executors.base import Executor, PlannedRun
from runners.executors.local import LocalExecutor
from runners.runs.workbench import Workbench
from runners.search.attributes import (
    AGAIN,
    LABEL,
    RESULT,
    STRUCTURE,
    WARM_START,
    WORKER,
    result_of,
    shown,
)
from runners.search.check import begin_check
from runners.search.deaths import (
    Deaths,
    Judge,
    give_back,
    judge_here,
    left_out,
    this_worker,
    too_many_deaths,
)
from runners.search.pruning import PRUNED_FOR
from runners.search.search import Search
from runners.search.trial import Outcome, PrunedError, try_structure
from suite.records.search import Constraint, Phase, TrialRecord, WorkerTime

WORKED = "worked"
POLL_SECONDS = 0.5
MOST_REPEATS = 50
"""Trials of structures that are there already, one after another, before a space counts as
searched through."""
NOT_MEASURED = 1e9
"""Over any limit, and yet a number that JSON has."""


class Worker:
    """One process that works on a search until nothing is left to do.

    Args:
        search: what is searched.
        say: is told a line for every trial that ends.
        me: what tells this worker from all others; None: its process.
        judge: of other workers; None: of those of this machine.
        forks: whether this process may be forked, which threads of others forbid.
    """

    def __init__(
        self,
        search: Search,
        say: Callable[[str], None],
        *,
        me: Mapping[str, Any] | None = None,
        judge: Judge | None = None,
        forks: bool = True,
    ) -> None:
        self.search, self.say, self._forks = search, say, forks
        self.me = this_worker() if me is None else dict(me)
        here = judge_here(search.out, journal=search.request.storage is None)
        self.deaths = Deaths(search.out, judge or here)
        self.spent = self.waiting = 0.0

    def work(self) -> None:
        """All phases of trials, beside whoever else works on them."""
        search, request = self.search, self.search.request
        accuracy = search.accuracy()
        self._until(accuracy, request.trials, self._accuracy)
        trade_off = search.trade_off(accuracy)
        self._until(trade_off, request.trade_offs, self._trade_off)
        if request.check:
            self._until(begin_check(search), 0, self._check)  # what is in the queue, and no more
        own = WorkerTime(
            name=f"{self.me['host']}:{self.me['pid']}",
            alive=time.time() - self.me["born"],
            spent=self.spent,
            waiting=self.waiting,
        )
        accuracy.set_user_attr(f"{WORKED}:{own.name}", own.model_dump(mode="json"))

    def _until(
        self, study: optuna.Study, count: int, objective: Callable[[optuna.Trial], Any]
    ) -> None:
        """Works until so many different structures have been tried in the study's phase."""
        while not searched_through(study):
            self.deaths.put_back(study)
            trials = study.get_trials(deepcopy=False)
            done = len(_tried(trials, study))
            running = sum(t.state == TrialState.RUNNING for t in trials) + len(left_out(trials))
            queued = any(t.state == TrialState.WAITING for t in trials)
            if queued or done + running < count:
                self._one(study, objective, count)
            elif running:
                self._wait()
            else:
                return
        self.say("no structure is left that was not tried")

    def _one(
        self, study: optuna.Study, objective: Callable[[optuna.Trial], Any], count: int
    ) -> None:
        """One trial; one that this worker cannot end goes back into the queue."""

        def wanted(trial: optuna.Trial) -> Any:
            # Others may have begun theirs since this worker counted them.
            if _is_surplus(trial, count):
                raise optuna.TrialPruned("as many as were asked for are under way")
            return objective(trial)

        try:
            study.optimize(wanted, n_trials=1)
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt)  # which is no fault of the structure
            died = None if stopped else str(error) or type(error).__name__
            # Where the storage is gone as well, it goes back when this worker is found dead.
            with suppress(Exception):
                give_back(study, self.me, self.search.out, died)
            raise

    def _wait(self) -> None:
        time.sleep(POLL_SECONDS)
        self.waiting += POLL_SECONDS

    def _accuracy(self, trial: optuna.Trial) -> float:
        def on_epoch(epoch: int, f1: float) -> None:
            trial.report(f1, epoch)
            # The report compares with the published structures: they are trained to the end.
            # After the last epoch, nothing is left to be saved.
            prune = trial.should_prune() and epoch < self.search.base.protocol.epochs
            if prune and trial.user_attrs.get(LABEL) is None:
                raise PrunedError(PRUNED_FOR[self.search.request.pruner])

        found = self._try(trial, "accuracy", on_epoch)
        if found.state == "complete" and found.dev_f1 is not None:
            return found.dev_f1
        raise optuna.TrialPruned(found.failure)

    def _trade_off(self, trial: optuna.Trial) -> tuple[float, float, float]:
        found = self._try(trial, "trade-off", lambda epoch, f1: None)
        values = self.search.values(found)
        if found.state != "complete" or values is None:
            raise optuna.TrialPruned(found.failure)
        return values

    def _check(self, trial: optuna.Trial) -> float:
        found = self._try(trial, "check", lambda epoch, f1: None)
        if found.state == "complete" and found.dev_f1 is not None:
            return found.dev_f1
        raise optuna.TrialPruned(found.failure)

    def _try(
        self, trial: optuna.Trial, phase: Phase, on_epoch: Callable[[int, float], None]
    ) -> TrialRecord:
        """Trains and measures a trial's structure, unless an earlier trial has."""
        search = self.search
        trial.set_user_attr(WORKER, self.me)
        settings = search.settings_of(trial)
        bench, planned = search.bench_of(settings, phase)
        trial.set_user_attr(STRUCTURE, planned.configuration)
        about = TrialRecord(
            phase=phase,
            number=trial.number,
            key=planned.configuration,
            label=trial.user_attrs.get(LABEL),
            state="failed",
            choices=trial.params,
            settings=asdict(bench.settings),
            structure=search.space.structure(bench.settings),
            warm_start=trial.user_attrs.get(WARM_START),
        )
        twin, given_up = self._twin(trial, about), too_many_deaths(trial)
        if twin is not None:
            found = _as_twin(about, twin)
        elif given_up is not None:
            found = about.model_copy(update={"given_up": True, "failure": given_up})
        else:
            folder = search.out / "trials" / planned.configuration
            run = PlannedRun(bench.plan, folder, planned)
            if about.label is not None:
                _train_to_the_end(run)
            outcome = try_structure(run, self._executor(bench), on_epoch)
            self.spent += outcome.spent.total
            found = self._described(about, outcome)
        for name, excess in self._excess(found).items():
            trial.set_constraint(name, excess)
        for heading, value in shown(found).items():
            trial.set_user_attr(heading, value)
        trial.set_user_attr(RESULT, found.model_dump_json())
        self.say(line_of(found))
        return found

    def _twin(self, trial: optuna.Trial, about: TrialRecord) -> TrialRecord | None:
        """The trial of the same structure that came to an end; one that runs is waited for.

        Of a published structure, which is to have its figure, one that is complete.
        """
        study = trial.study

        def runs(other: FrozenTrial) -> bool:
            # One that has just begun has not said yet what it tries.
            same = other.user_attrs.get(STRUCTURE, about.key) == about.key
            return same and other.state == TrialState.RUNNING and other.number < trial.number

        while any(map(runs, study.get_trials(deepcopy=False))):
            self._wait()
            self.deaths.put_back(study)
        ended = (t for t in self.search.ended() if t.key == about.key)
        if AGAIN in trial.user_attrs:
            ended = (t for t in ended if not t.given_up)
        if about.label is not None:
            ended = (t for t in ended if t.state == "complete")
        return next((t for t in ended if t.duplicate_of is None), None)

    def _executor(self, bench: Workbench) -> Executor:
        sole = self.search.request.workers == 1
        if bench.device.type != "cpu" or not self._forks:
            return LocalExecutor(sole=sole)
        from runners.executors.fork import fork_executor  # noqa: PLC0415 - elsewhere none is wanted

        return fork_executor(bench, sole=sole)

    def _described(self, about: TrialRecord, outcome: Outcome) -> TrialRecord:
        found = about.model_copy(update=outcome.fields())
        broken = {k: v for k, v in self._excess(found).items() if v > 0}
        return found.model_copy(update={"broken": broken})

    def _excess(self, found: TrialRecord) -> dict[Constraint, float]:
        """By how much a structure is over each limit; what was not measured is over all."""
        limits = self.search.request.limits
        excess: dict[Constraint, float] = {}
        if found.phase == "check":  # whose latency and memory are those of its short trial
            return excess
        if limits.latency_ms is not None:
            latency = found.latency_ms.get(limits.latency_batch)
            excess["latency"] = NOT_MEASURED if latency is None else latency - limits.latency_ms
        if limits.memory_mb is not None:
            peak = found.peak_memory_bytes
            excess["memory"] = NOT_MEASURED if peak is None else peak / 2**20 - limits.memory_mb
        return excess


def searched_through(study: optuna.Study) -> bool:
    """Whether a study proposes nothing any more that was not tried."""
    found = [r for r in map(result_of, study.get_trials(deepcopy=False)) if r is not None]
    last = found[-MOST_REPEATS:]
    return len(last) == MOST_REPEATS and all(r.duplicate_of for r in last)


def _tried(trials: Sequence[FrozenTrial], study: optuna.Study) -> set[str]:
    """The structures of the study's own phase that came to an end, by key."""
    found = (r for r in map(result_of, trials) if r is not None and r.duplicate_of is None)
    return {r.key for r in found if study.study_name.endswith(f"/{r.phase}")}


def _is_surplus(trial: optuna.Trial, count: int) -> bool:
    """Whether enough trials before it have ended or run; of what was in the queue, none is."""
    trials = trial.study.get_trials(deepcopy=False)
    own = next(t.system_attrs for t in trials if t.number == trial.number)
    if "fixed_params" in own or "retry_history" in own:
        return False
    before = [t for t in trials if t.number < trial.number]
    under_way = sum(t.state == TrialState.RUNNING for t in before) + len(left_out(trials))
    return len(_tried(before, trial.study)) + under_way >= count


def _train_to_the_end(run: PlannedRun) -> None:
    """Has a structure that was pruned as another trial go on from where that ended."""
    record = run.recorded()
    if record is not None and record.status == "pruned":
        (run.folder / "record.json").unlink()


def _as_twin(about: TrialRecord, twin: TrialRecord) -> TrialRecord:
    own = about.model_dump(include={"phase", "number", "label", "choices", "warm_start"})
    return twin.model_copy(update={**own, "duplicate_of": (twin.phase, twin.number)})


def line_of(found: TrialRecord) -> str:
    """What is said of a trial that has ended."""
    what = ", ".join(found.structure.values())
    f1 = "-" if found.dev_f1 is None else f"{found.dev_f1:.3f}"
    repeated = f", as {found.duplicate_of[0]} {found.duplicate_of[1]}" if found.duplicate_of else ""
    over = "".join(f", over the limit of {name}" for name in found.broken)
    why = f" ({found.failure})" if found.failure else ""
    return f"{found.name}: {found.state}{repeated}, dev F1 {f1}{over} [{what}]{why}"
