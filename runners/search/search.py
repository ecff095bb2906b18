"""A structure search: Optuna varies, the suite trains and judges.

Its phases, of which those of trials are studies of their own in one storage: dev F1 alone, with
pruning; dev F1, latency and parameters at once; where it is asked for, some of the structures
trained to the end; the finalists over seeds, on test. Any number of workers may do the trials.
"""

from __future__ import annotations

import platform
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias, get_args

import numpy as np
import optuna
from optuna.pruners import BasePruner, NopPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from runners.executors.lock import locked
from runners.runs.plan import RunPlan
from runners.runs.run import planned_record
from runners.runs.workbench import Workbench
from runners.search.attributes import AGAIN, LABEL, RESULT, STRUCTURE, result_of
from runners.search.check import check_epochs, open_check
from runners.search.deaths import put_back_the_failed
from runners.search.pruning import make_pruner
from runners.search.request import SearchRequest
from runners.search.storage import IDENTITY, open_study
from runners.search.warm_start import begin_from
from runners.suite import Suite
from suite.errors import SuiteError
from suite.files import remove_leftovers
from suite.records.run import Environment, RunRecord
from suite.records.search import Phase, TrialRecord
from suite.systems.capabilities import Searches
from suite.systems.contract import System
from suite.systems.registry import make_settings

TRIAL_BATCHES = (1, 128)
MachineKind: TypeAlias = tuple[str, str]


class Search:
    """A search, checked as far as it can be before anything is trained.

    Args:
        request: of the command.
        storage: where its studies are.
        worker: number of this process among those of the command.
        here: whether trials are done on this machine; where they are not, `done_in` tells their
            environment before any study is opened.

    Raises:
        SuiteError: a name, a file or a device is not there, the system has no space, or the search
            was begun under other conditions.
    """

    def __init__(
        self,
        request: SearchRequest,
        storage: optuna.storages.BaseStorage,
        worker: int = 0,
        *,
        here: bool = True,
    ) -> None:
        self.request, self.storage, self.worker = request, storage, worker
        self.out = request.suite.out
        device = request.suite.device if here else "cpu"  # whatever those machines have
        asked = replace(request.suite, seeds=(0,), out=self.out / "finals", device=device)
        checked = Suite(asked)
        if len(checked.runs) != 1:
            reason = checked.cannot[0].reason if checked.cannot else "expected one system"
            raise SuiteError(
                f"nothing to search: {reason}", remedy="Name one system that does the task."
            )
        (run,) = checked.runs
        self.base: RunPlan = run.plan
        epochs = check_epochs(request.check, request.check_epochs, self.base.protocol.epochs)
        self.request = replace(request, check_epochs=epochs)
        self.planned: RunRecord = run.planned
        (self.variant,) = checked.variants
        self.system: type[System] = self.variant.find()
        self.space = _space(self.system)
        self.settings = make_settings(self.system, self.base.settings)
        self.bench = Workbench(self.base, checked.datasets[0], checked.shelf)
        self.default_key = self.bench_of(self.base.settings)[1].configuration

    def done_in(self, environment: Environment) -> None:
        """Tells the environment that trials are measured in, on machines elsewhere."""
        self.planned = self.planned.model_copy(update={"environment": environment})

    def noted_kind(self) -> MachineKind | None:
        """What an earlier command's trials were measured on; None where there was none."""
        for study in self.begun().values():
            noted = study.user_attrs.get(IDENTITY)
            if noted is not None:
                return noted["processor"], noted["device"]
        return None

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What must be equal for all trials of the search; latencies of two machines are not."""
        planned, limits = self.planned, self.request.limits
        return {
            "dataset": planned.dataset.name,
            **{f"SHA-256 of {s}": d[:16] for s, d in planned.dataset.fingerprints.items()},
            "protocol": self.base.protocol.digest(),
            "epochs": self.base.protocol.epochs,
            "system": planned.system.name,
            "settings": self.default_key,
            "pruner": self.request.pruner,
            **dict(zip(("processor", "device"), kind_of(planned.environment), strict=True)),
            **{name.replace("_", " "): v for name, v in limits.model_dump().items()},
        }

    def bench_of(
        self, settings: Mapping[str, Any], phase: Phase = "accuracy"
    ) -> tuple[Workbench, RunRecord]:
        """A trial's workbench and planned record; data and resources are shared.

        Args:
            settings: of the system.
            phase: of the trial; a long training of the check is not measured once more.
        """
        sizes = {*TRIAL_BATCHES, self.request.limits.latency_batch}
        changes: dict[str, Any] = {"batch_sizes": tuple(sorted(sizes))}
        if phase == "check":
            epochs = {"epochs": self.request.check_epochs}
            protocol = self.base.protocol.model_copy(update=epochs)
            changes = {"batch_sizes": (), "protocol": protocol}
        plan = self.base.model_copy(
            update={
                "settings": dict(settings),
                "test": False,
                "keep_vectors": "dataset",  # of a trial, whose model nobody takes away
                "suite": self.request.name,
                **changes,
            }
        )
        bench = Workbench(plan, self.bench.dataset, self.bench.shelf)
        return bench, planned_record(bench, started="")

    def settings_of(self, trial: optuna.trial.BaseTrial) -> dict[str, Any]:
        """The system's settings in a trial that differ from its defaults."""
        varied = self.space.vary(self.settings, trial)
        # Optuna's third step of 0.05 is 0.15000000000000002, by its key another setting than 0.15.
        rounded = {k: float(f"{v:.10g}") if isinstance(v, float) else v for k, v in varied.items()}
        return {**self.base.settings, **rounded}

    def begin(self) -> optuna.Study:
        """The study of dev F1, with the published structures that have no figure in its queue.

        Those whose trials failed, and all that were given up, are tried again.
        """
        remove_leftovers(self.out)
        study = self.accuracy()
        with locked(self.out):
            for phase in self.begun().values():
                put_back_the_failed(phase, self.out)
            self._try_again()
            waiting = study.get_trials(states=(TrialState.WAITING, TrialState.RUNNING))
            expected = {trial.user_attrs.get(LABEL) for trial in waiting}
            for label in self.without_figure():
                if label in expected:
                    continue
                study.enqueue_trial(dict(self.space.tried_first()[label]), {LABEL: label})
            if self.request.warm_start is not None:
                begin_from(self, study, self.request.warm_start)
        if self.request.check:
            open_check(self)
        return study

    def _try_again(self) -> None:
        """Puts structures back into the queue that were given up, each in its phase."""
        begun = self.begun()
        for found in self.given_up():
            study = begun[found.phase]
            waiting = study.get_trials(states=(TrialState.WAITING, TrialState.RUNNING))
            there = {trial.user_attrs.get(AGAIN) for trial in waiting}
            if found.label is None and found.key not in there:
                study.enqueue_trial(found.choices, {AGAIN: found.key})

    def accuracy(self) -> optuna.Study:
        """The study of dev F1."""
        pruner = make_pruner(self.request.pruner, self.base.protocol.epochs)
        return self.study("accuracy", pruner, ["maximize"], ["dev F1"])

    def without_figure(self) -> dict[str, str]:
        """The published structures that no trial gave a dev F1 of, each with the reason."""
        found, trials = {}, self.trials()
        for label in self.space.tried_first():
            own = [trial for trial in trials if trial.label == label]
            if not any(trial.state == "complete" for trial in own):
                last = own[-1].failure if own else None
                found[label] = last or "every process that tried it has died"
        return found

    def trade_off(self, accuracy: optuna.Study) -> optuna.Study:
        """The study of dev F1, latency and parameters, which knows what the first one found."""
        names = ["dev F1", "latency (ms per sentence)", "parameters"]
        directions = ["maximize", "minimize", "minimize"]
        study = self.study("trade-off", NopPruner(), directions, names)
        with locked(self.out):
            known = {t.user_attrs.get(STRUCTURE) for t in study.get_trials(deepcopy=False)}
            for trial in accuracy.get_trials(states=(TrialState.COMPLETE,)):
                found = result_of(trial)
                if found is None or found.key in known or found.duplicate_of:
                    continue
                values = self.values(found)
                if values is not None:
                    study.add_trial(_as_known(trial, found, values))
        return study

    def study(
        self,
        phase: Phase,
        pruner: BasePruner,
        directions: list[str],
        metrics: list[str],
        about: Mapping[str, Any] = MappingProxyType({}),
    ) -> optuna.Study:
        """The study of a phase, made where it is not there.

        Args:
            phase: which names it.
            pruner: of its trials.
            directions: of what its trials are judged by.
            metrics: names of that.
            about: what must be equal for all trials of the phase besides the search's identity.

        Raises:
            SuiteError: it was begun under other conditions.
        """
        name, identity = f"{self.request.name}/{phase}", {**self.identity, **about}
        study = open_study(self.storage, name, identity, pruner=pruner, directions=directions)
        if study.metric_names is None:
            study.set_metric_names(metrics)
        study.sampler = TPESampler(
            seed=self._sampler_seed(len(study.get_trials(deepcopy=False))),
            multivariate=True,
            group=True,
        )
        return study

    def _sampler_seed(self, known: int) -> int:
        """Differs between workers, who would else try the same, and equals on a second search."""
        host = zlib.crc32(platform.node().encode())
        parts = (self.request.sampler_seed, host, self.worker, known)
        return int(np.random.SeedSequence(parts).generate_state(1)[0])

    def values(self, found: TrialRecord) -> tuple[float, float, float] | None:
        """Dev F1, latency and parameters, which the second phase weighs; None where one lacks."""
        latency = found.latency_ms.get(self.request.limits.latency_batch)
        if found.dev_f1 is None or latency is None or found.parameters is None:
            return None
        return found.dev_f1, latency, float(found.parameters)

    def begun(self) -> dict[Phase, optuna.Study]:
        """The studies that are there, as far as to read them and to put trials into their queue."""
        there = optuna.get_all_study_names(self.storage)
        names: dict[Phase, str] = {p: f"{self.request.name}/{p}" for p in get_args(Phase)}
        return {
            phase: optuna.load_study(study_name=name, storage=self.storage)
            for phase, name in names.items()
            if name in there
        }

    def trials(self) -> tuple[TrialRecord, ...]:
        """As `ended`, without the long trainings of the check."""
        return tuple(t for t in self.ended() if t.phase != "check")

    def ended(self) -> tuple[TrialRecord, ...]:
        """All that came to an end, of all phases; what was given up and tried again, once."""
        found: list[TrialRecord] = []
        for phase, study in self.begun().items():
            results = map(result_of, study.get_trials(deepcopy=False))
            found += [r for r in results if r is not None and r.phase == phase]
        last = {r.key: r for r in found if r.duplicate_of is None}
        return tuple(r for r in found if not r.given_up or r is last.get(r.key))

    def given_up(self) -> list[TrialRecord]:
        """Structures over which worker after worker died."""
        return [trial for trial in self.ended() if trial.given_up]


def kind_of(environment: Environment) -> MachineKind:
    """What latencies that are compared have in common: processor and device."""
    return environment.processor, environment.device


def _space(system: type[System]) -> type[Searches]:
    if not issubclass(system, Searches):
        raise SuiteError(
            f"{system.name} has no search space",
            remedy="See CONTRIBUTING.md on the capability `Searches`.",
        )
    return system


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
