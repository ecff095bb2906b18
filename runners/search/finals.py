"""The last phase of a search: its finalists and the default over seeds, scored on test once."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
from optuna.trial import TrialState

from reports.report import write_report
from runners.executors.local import Fresh, execute
from runners.executors.lock import locked
from runners.search.storage import WORKER, open_study, this_worker
from runners.search.timed import TimedChildren
from runners.suite import Run, Suite
from suite.errors import SuiteError
from suite.files import write_atomically
from suite.records.run import RunRecord, read_record
from suite.records.search import Finalist, TrialRecord, best_first, front
from suite.systems.contract import System
from suite.systems.variants import Variant, write_variant

if TYPE_CHECKING:
    from runners.search.search import Search

FILES = ("record.json", "history.jsonl", "predictions.jsonl", "run.json")
"""Of a final run, which its trial carries to whoever writes the report."""
PACKED, RUN = "packed", "run"
Drain = Callable[[optuna.Study, Callable[[optuna.Trial], float]], None]


def choose(search: Search) -> list[tuple[Variant, TrialRecord | None, str]]:
    """The default, and the structures that are worth a second look, each with the reason.

    All of it is decided on dev, by trials that keep to every limit: the best; the best that is not
    slower than the default; the best that is neither slower nor larger; then by dev F1 along the
    front of dev F1, latency and parameters.
    """
    default = (search.variant, None, "the system that the search started from")
    size = search.request.limits.latency_batch
    trials = [t for t in best_first(search.trials()) if size in t.latency_ms]
    candidates = [t for t in trials if t.key != search.default_key and not t.broken]
    found: dict[str, tuple[TrialRecord, str]] = {}
    first = next((t for t in trials if t.key == search.default_key), None)
    quick = [t for t in candidates if first and t.latency_ms[size] <= first.latency_ms[size]]
    small = [t for t in quick if first and t.size <= first.size]
    rules = (
        (candidates, "the best dev F1"),
        (quick, "the best dev F1 of those that are not slower than the default"),
        (small, "the best dev F1 of those that are neither slower nor larger than the default"),
    )
    for pool, reason in rules:
        for trial in pool[:1]:
            found.setdefault(trial.key, (trial, reason))
    for trial in front(candidates, lambda t: t.latency_ms[size], lambda t: t.size):
        found.setdefault(trial.key, (trial, "on the front of dev F1, latency and parameters"))
    chosen = list(found.values())[: search.request.finalists]
    return [
        default,
        *((variant_of(t, search.variant, search.system), t, reason) for t, reason in chosen),
    ]


class Finals:
    """The runs of the last phase, which workers share through a study's queue.

    Args:
        search: whose finals they are.
        chosen: as `choose` gives them.
    """

    def __init__(
        self, search: Search, chosen: Sequence[tuple[Variant, TrialRecord | None, str]]
    ) -> None:
        self.search, self.out = search, search.out / "finals"
        self.finalists = tuple(
            Finalist(
                variant=variant.name,
                title=variant.title or search.system.title,
                key=trial.key if trial else search.default_key,
                reason=reason,
            )
            for variant, trial, reason in chosen
        )
        request = search.request.suite
        default = request.systems[0]
        files = [self._written(variant) for variant, trial, _ in chosen if trial is not None]
        self.suite = Suite(replace(request, systems=(default, *map(str, files)), out=self.out))
        self.spent = 0.0

    def _written(self, variant: Variant) -> Path:
        path = self.search.out / "finalists" / f"{variant.name}.yaml"
        write_variant(variant, path)
        return path

    def work(self, drain: Drain) -> float:
        """Does what is left of the runs, beside other workers; the seconds that were their own."""
        self.suite.plan().write(self.out)
        runs = {_name(run): run for run in self.suite.runs}
        name = f"{self.search.request.name}/finals"
        study = open_study(self.search.storage, name, self.search.identity, directions=["maximize"])
        with locked(self.search.out):
            queued = {t.user_attrs[RUN] for t in study.get_trials(deepcopy=False)}
            for run in runs:
                if run not in queued:
                    study.enqueue_trial({}, {RUN: run})

        def objective(trial: optuna.Trial) -> float:
            trial.set_user_attr(WORKER, this_worker())
            name = trial.user_attrs[RUN]
            if name not in runs:  # queued by a search that was then asked for other trials
                raise optuna.TrialPruned("no finalist any more")
            if _queued_before(trial, study):  # two machines may queue at one moment
                raise optuna.TrialPruned("queued twice")
            return self._run(trial, runs[name])

        drain(study, objective)
        for trial in study.get_trials(deepcopy=False):
            if PACKED in trial.user_attrs and trial.user_attrs[RUN] in runs:
                _unpack(trial.user_attrs[PACKED], runs[trial.user_attrs[RUN]].folder)
        return self.spent

    def _run(self, trial: optuna.Trial, run: Run) -> float:
        record = run.done()
        if record is None:
            timed = TimedChildren(run.folder, Fresh())
            record = execute(run.plan, run.folder, run.planned, lambda line: None, timed)
            self.spent += timed.spent().total
        trial.set_user_attr(PACKED, _packed(run.folder))
        f1 = _dev_f1(record)
        if f1 is None:
            raise optuna.TrialPruned(record.failure or record.status)
        return f1

    def report(self) -> Path | None:
        """Writes the finals' own report; None where no run left a record."""
        with suppress(SuiteError):
            return write_report(self.out)
        return None

    def best(self) -> Variant:
        """The finalist with the best mean dev F1 over its complete seeds; the default on a tie."""
        scores: dict[str, list[float]] = {}
        for run in self.suite.runs:
            path = run.folder / "record.json"
            f1 = _dev_f1(read_record(path)) if path.exists() else None
            if f1 is not None:
                scores.setdefault(run.planned.system.key, []).append(f1)
        mean = {name: sum(values) / len(values) for name, values in scores.items()}
        return max(self.suite.variants, key=lambda v: mean.get(v.name, -1.0))


def _queued_before(trial: optuna.Trial, study: optuna.Study) -> bool:
    """Whether an earlier trial has the same run, or had it and did not die."""
    run = trial.user_attrs[RUN]
    before = (t for t in study.get_trials(deepcopy=False) if t.number < trial.number)
    return any(t.user_attrs[RUN] == run and t.state != TrialState.FAIL for t in before)


def variant_of(found: TrialRecord, base: Variant, system: type[System]) -> Variant:
    """The variant that trains a trial's structure."""
    defaults = asdict(system.Settings())
    settings = {k: v for k, v in found.settings.items() if v != defaults[k]}
    name = f"{base.name}-{found.phase}-{found.number}"
    title = f"{base.title or system.title}, {found.name}"
    return Variant(name=name, system=system.name, title=title, settings=settings)


def _dev_f1(record: RunRecord) -> float | None:
    if record.status != "complete" or record.dev is None:
        return None
    return record.dev.selecting(record.dataset.task, record.protocol.match).f1


def _name(run: Run) -> str:
    return f"{run.planned.system.key}/{run.plan.seed}"


def _packed(folder: Path) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FILES:
            if (folder / name).exists():
                archive.write(folder / name, name)
    return base64.b64encode(buffer.getvalue()).decode()


def _unpack(packed: str, folder: Path) -> None:
    """Leaves the files of a run that was done on another machine."""
    if (folder / "record.json").exists():
        return
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as archive:
        for name in FILES:
            if name in archive.namelist():
                write_atomically(folder / name, archive.read(name))
