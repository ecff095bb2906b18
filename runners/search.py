"""A structure search: Optuna varies, the suite trains and judges.

Three phases, each a study of its own in one storage: dev F1 alone, with pruning; dev F1, latency
and parameters at once; the finalists over seeds, on test. Any number of workers may do them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import optuna
from optuna.pruners import MedianPruner, NopPruner, PatientPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from runners.environment import resolve_device
from runners.finals import Finals, choose
from runners.lock import locked
from runners.plan import RunPlan, Workbench
from runners.process import Children, Fresh
from runners.run import blank_record
from runners.schedule import Request, Suite
from runners.storage import WORKER, give_back, open_study, retry_the_dead, this_worker
from runners.trial import Outcome, PrunedError, try_structure
from suite.errors import SuiteError
from suite.records import RunRecord
from suite.searched import Constraint, Limits, Phase, TrialRecord, WorkerTime
from suite.system import System, make_settings

RESULT = "result"
STRUCTURE = "structure"
LABEL = "label"
WORKED = "worked"
POLL_SECONDS = 0.5
MOST_REPEATS = 50
"""Trials of structures that are there already, one after another, before a space counts as
searched through."""
START_UP, WARM_UP_EPOCHS, PATIENCE = 5, 2, 1
"""Trials before any is pruned, epochs before one is, and epochs that it may lie under the median
of all trials at that epoch."""
TRIAL_BATCHES = (1, 128)


@dataclass(frozen=True)
class SearchRequest:
    """What a `search-structure` command asks for.

    Attributes:
        suite: the dataset, the one system, its resources, the protocol, the folder, and the seeds
            of the finals.
        trials: of the first phase.
        trade_offs: trials of the second phase, besides those of the first.
        finalists: structures that are trained again besides the system as it is.
        limits: what structures must keep to.
        storage: URL of a database; None: a journal in the folder.
        name: of the studies in the storage.
        sampler_seed: of Optuna's sampler; each worker adds its own number.
    """

    suite: Request
    trials: int
    trade_offs: int
    finalists: int
    limits: Limits
    name: str
    storage: str | None = None
    sampler_seed: int = 0
    command: tuple[str, ...] = field(default=())


class Search:
    """A search, checked as far as it can be before anything is trained.

    Args:
        request: of the command.
        storage: where its studies are.

    Raises:
        SuiteError: a name, a file or a device is not there, the system has no space, or the search
            was begun under other conditions.
    """

    def __init__(self, request: SearchRequest, storage: optuna.storages.BaseStorage) -> None:
        self.request, self.storage = request, storage
        self.out = request.suite.out
        checked = Suite(replace(request.suite, seeds=(0,), out=self.out / "finals"))
        if len(checked.runs) != 1:
            reason = checked.cannot[0].reason if checked.cannot else "expected one system"
            raise SuiteError(
                f"nothing to search: {reason}", remedy="Name one system that does the task."
            )
        (run,) = checked.runs
        self.base: RunPlan = run.plan
        self.blank: RunRecord = run.blank
        (self.variant,) = checked.variants
        self.system: type[System] = self.variant.find()
        self.settings = make_settings(self.system, self.base.settings)
        self.bench = Workbench(self.base, checked.datasets[0])
        self._check_space()
        self.default_key = self.bench_of(self.base.settings)[1].configuration

    def _check_space(self) -> None:
        try:
            self.system.vary(self.settings, optuna.trial.FixedTrial({}))
        except NotImplementedError as error:
            raise SuiteError(str(error), remedy="See CONTRIBUTING.md on `vary`.") from error
        except ValueError:
            pass  # a space whose first choice was not given is one

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What must be equal for all trials of the search; latencies of two machines are none."""
        blank, limits = self.blank, self.request.limits
        return {
            "dataset": blank.dataset.name,
            **{f"SHA-256 of {s}": d[:16] for s, d in blank.dataset.fingerprints.items()},
            "protocol": self.base.protocol.digest(),
            "epochs": self.base.protocol.epochs,
            "system": blank.system.name,
            "settings": self.default_key,
            "processor": blank.environment.processor,
            "device": blank.environment.device,
            **{name.replace("_", " "): v for name, v in limits.model_dump().items()},
        }

    def bench_of(self, settings: Mapping[str, Any]) -> tuple[Workbench, RunRecord]:
        """A trial's workbench and blank record; data and resources are shared."""
        sizes = {*TRIAL_BATCHES, self.request.limits.latency_batch}
        plan = self.base.model_copy(
            update={
                "settings": dict(settings),
                "test": False,
                "batch_sizes": tuple(sorted(sizes)),
                "suite": self.request.name,
            }
        )
        bench = Workbench(plan, self.bench.dataset, self.bench.resources)
        return bench, blank_record(bench, started="")

    def settings_of(self, trial: optuna.trial.BaseTrial) -> dict[str, Any]:
        """The system's settings in a trial that differ from its defaults."""
        varied = self.system.vary(self.settings, trial)
        return {**self.base.settings, **varied}

    def accuracy(self) -> optuna.Study:
        """The study of dev F1, the published structures first in its queue."""
        pruner = PatientPruner(
            MedianPruner(n_startup_trials=START_UP, n_warmup_steps=WARM_UP_EPOCHS), PATIENCE
        )
        study = self._study("accuracy", pruner, directions=["maximize"])
        with locked(self.out):
            for label, choices in self.system.searched_first.items():
                study.enqueue_trial(dict(choices), {LABEL: label}, skip_if_exists=True)
        return study

    def trade_off(self, accuracy: optuna.Study) -> optuna.Study:
        """The study of dev F1, latency and parameters, which knows what the first one found."""
        study = self._study("trade-off", NopPruner(), ["maximize", "minimize", "minimize"])
        with locked(self.out):
            known = {t.user_attrs.get(STRUCTURE) for t in study.get_trials(deepcopy=False)}
            for trial in accuracy.get_trials(states=(TrialState.COMPLETE,)):
                found = _result(trial)
                if found is None or found.key in known or found.duplicate_of:
                    continue
                values = self._values(found)
                if values is not None:
                    study.add_trial(_as_known(trial, found, values))
        return study

    def _study(self, phase: Phase, pruner: Any, directions: list[str]) -> optuna.Study:
        sampler = TPESampler(
            seed=self.request.sampler_seed + this_worker()["pid"], multivariate=True, group=True
        )
        name = f"{self.request.name}/{phase}"
        return open_study(
            self.storage, name, self.identity, sampler=sampler, pruner=pruner, directions=directions
        )

    def _values(self, found: TrialRecord) -> tuple[float, float, float] | None:
        latency = found.latency_ms.get(self.request.limits.latency_batch)
        if found.dev_f1 is None or latency is None or found.parameters is None:
            return None
        return found.dev_f1, latency, float(found.parameters)

    def trials(self) -> tuple[TrialRecord, ...]:
        """All that came to an end, of both phases."""
        found = []
        for phase in ("accuracy", "trade-off"):
            name = f"{self.request.name}/{phase}"
            if name in optuna.get_all_study_names(self.storage):
                study = optuna.load_study(study_name=name, storage=self.storage)
                results = map(_result, study.get_trials(deepcopy=False))
                found += [r for r in results if r is not None and r.phase == phase]
        return tuple(found)


def _result(trial: FrozenTrial) -> TrialRecord | None:
    text = trial.user_attrs.get(RESULT)
    return None if text is None else TrialRecord.model_validate_json(text)


def _as_known(
    trial: FrozenTrial, found: TrialRecord, values: tuple[float, float, float]
) -> FrozenTrial:
    """A trial of the first phase as the second one counts it."""
    limits = {k: v for k, v in trial.system_attrs.items() if k.startswith("constraints")}
    return optuna.trial.create_trial(
        state=TrialState.COMPLETE,
        params=trial.params,
        distributions=trial.distributions,
        values=values,
        user_attrs={STRUCTURE: found.key, RESULT: found.model_dump_json()},
        system_attrs=limits,
    )


class Worker:
    """One process that works on a search until nothing is left to do.

    Args:
        search: what is searched.
        say: is told a line for every trial that ends.
    """

    def __init__(self, search: Search, say: Callable[[str], None]) -> None:
        self.search, self.say = search, say
        self.me = this_worker()
        self.spent = self.waiting = 0.0

    def work(self) -> None:
        """All three phases, beside whoever else works on them."""
        search, request = self.search, self.search.request
        accuracy = search.accuracy()
        self._until(accuracy, request.trials, self._accuracy)
        trade_off = search.trade_off(accuracy)
        self._until(trade_off, request.trade_offs, self._trade_off)
        finals = Finals(search, choose(search))
        self.spent += finals.work(self._until_queue_is_empty)
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
        while not self._searched_through(study):
            retry_the_dead(study)
            trials = study.get_trials(deepcopy=False)
            done = sum(_counts(t, study) for t in trials)
            running = sum(t.state == TrialState.RUNNING for t in trials)
            queued = any(t.state == TrialState.WAITING for t in trials)
            if queued or done + running < count:
                self._one(study, objective)
            elif running:
                self._wait()
            else:
                return
        self.say("no structure is left that was not tried")

    def _until_queue_is_empty(
        self, study: optuna.Study, objective: Callable[[optuna.Trial], Any]
    ) -> None:
        while True:
            retry_the_dead(study)
            states = [t.state for t in study.get_trials(deepcopy=False)]
            if TrialState.WAITING in states:
                self._one(study, objective)
            elif TrialState.RUNNING in states:
                self._wait()
            else:
                return

    def _one(self, study: optuna.Study, objective: Callable[[optuna.Trial], Any]) -> None:
        """One trial; an interrupted one goes back into the queue."""
        try:
            study.optimize(objective, n_trials=1)
        except KeyboardInterrupt:
            give_back(study, self.me)
            raise

    def _wait(self) -> None:
        time.sleep(POLL_SECONDS)
        self.waiting += POLL_SECONDS

    @staticmethod
    def _searched_through(study: optuna.Study) -> bool:
        found = [r for r in map(_result, study.get_trials(deepcopy=False)) if r is not None]
        last = found[-MOST_REPEATS:]
        return len(last) == MOST_REPEATS and all(r.duplicate_of for r in last)

    def _accuracy(self, trial: optuna.Trial) -> float:
        def on_epoch(epoch: int, f1: float) -> None:
            trial.report(f1, epoch)
            # The report compares with the published structures: they are trained to the end.
            if trial.should_prune() and trial.user_attrs.get(LABEL) is None:
                raise PrunedError

        found = self._try(trial, "accuracy", on_epoch)
        if found.state == "complete" and found.dev_f1 is not None:
            return found.dev_f1
        raise optuna.TrialPruned(found.failure)

    def _trade_off(self, trial: optuna.Trial) -> tuple[float, float, float]:
        found = self._try(trial, "trade-off", lambda epoch, f1: None)
        values = self.search._values(found)
        if found.state != "complete" or values is None:
            raise optuna.TrialPruned(found.failure)
        return values

    def _try(
        self, trial: optuna.Trial, phase: Phase, on_epoch: Callable[[int, float], None]
    ) -> TrialRecord:
        """Trains and measures a trial's structure, unless an earlier trial has."""
        search = self.search
        trial.set_user_attr(WORKER, self.me)
        settings = search.settings_of(trial)
        bench, blank = search.bench_of(settings)
        trial.set_user_attr(STRUCTURE, blank.configuration)
        about = TrialRecord(
            phase=phase,
            number=trial.number,
            key=blank.configuration,
            label=trial.user_attrs.get(LABEL),
            state="failed",
            choices=trial.params,
            settings=asdict(bench.settings),
            structure=search.system.structure(bench.settings),
        )
        twin = self._twin(trial, about)
        if twin is not None:
            found = _as_twin(about, twin)
        else:
            folder = search.out / "trials" / blank.configuration
            outcome = try_structure(bench, blank, folder, self._children(bench), on_epoch)
            self.spent += outcome.spent.total
            found = self._described(about, outcome)
        for name, excess in self._excess(found).items():
            trial.set_constraint(name, excess)
        trial.set_user_attr(RESULT, found.model_dump_json())
        self.say(_line(found))
        return found

    def _twin(self, trial: optuna.Trial, about: TrialRecord) -> TrialRecord | None:
        """The trial of the same structure that came to an end; one that runs is waited for."""
        study = trial.study

        def runs(other: FrozenTrial) -> bool:
            same = other.user_attrs.get(STRUCTURE) == about.key
            return same and other.state == TrialState.RUNNING and other.number < trial.number

        while any(map(runs, study.get_trials(deepcopy=False))):
            self._wait()
            retry_the_dead(study)
        ended = (t for t in self.search.trials() if t.key == about.key)
        return next((t for t in ended if t.duplicate_of is None), None)

    def _children(self, bench: Workbench) -> Children:
        if resolve_device(bench.protocol.device).type != "cpu":
            return Fresh()
        from runners.forked import Forked  # noqa: PLC0415 - no fork is wanted elsewhere

        return Forked(bench)

    def _described(self, about: TrialRecord, outcome: Outcome) -> TrialRecord:
        found = about.model_copy(update=outcome.fields())
        broken = {k: v for k, v in self._excess(found).items() if v > 0}
        return found.model_copy(update={"broken": broken})

    def _excess(self, found: TrialRecord) -> dict[Constraint, float]:
        """By how much a structure is over each limit; what was not measured is over all."""
        limits = self.search.request.limits
        excess: dict[Constraint, float] = {}
        if limits.latency_ms is not None:
            latency = found.latency_ms.get(limits.latency_batch)
            excess["latency"] = 1e9 if latency is None else latency - limits.latency_ms
        if limits.memory_mb is not None:
            peak = found.peak_memory_bytes
            excess["memory"] = 1e9 if peak is None else peak / 2**20 - limits.memory_mb
        return excess


def _counts(trial: FrozenTrial, study: optuna.Study) -> bool:
    """Whether a trial is one of those that were asked for: of its phase, and no repetition."""
    found = _result(trial)
    return (
        trial.state.is_finished()
        and found is not None
        and found.duplicate_of is None
        and study.study_name.endswith(f"/{found.phase}")
    )


def _as_twin(about: TrialRecord, twin: TrialRecord) -> TrialRecord:
    own = about.model_dump(include={"phase", "number", "label", "choices"})
    return twin.model_copy(update={**own, "duplicate_of": (twin.phase, twin.number)})


def _line(found: TrialRecord) -> str:
    what = ", ".join(found.structure.values())
    f1 = "-" if found.dev_f1 is None else f"{found.dev_f1:.3f}"
    repeated = f", as {found.duplicate_of[0]} {found.duplicate_of[1]}" if found.duplicate_of else ""
    over = "".join(f", over the limit of {name}" for name in found.broken)
    why = f" ({found.failure})" if found.failure else ""
    return f"{found.name}: {found.state}{repeated}, dev F1 {f1}{over} [{what}]{why}"
