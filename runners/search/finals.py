"""The last phase of a search: its finalists and the default over seeds, scored on test once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reports.report import write_report
from runners.executors.base import Executor, OnEvent
from runners.suite import Suite
from suite.errors import SuiteError
from suite.records.run import RunRecord, read_record
from suite.records.search import Finalist, TrialRecord, best_first, front
from suite.systems.contract import System
from suite.systems.variants import Variant, write_variant
from suite.tasks.registry import find_task

if TYPE_CHECKING:
    from runners.search.search import Search


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
    """The runs of the last phase.

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

    def _written(self, variant: Variant) -> Path:
        path = self.search.out / "finalists" / f"{variant.name}.yaml"
        write_variant(variant, path)
        return path

    def run(self, executor: Executor, on_event: OnEvent) -> None:
        """Does what is left of the runs."""
        self.suite.plan().write(self.out)
        executor.run_all(self.suite.left(), on_event)

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
    return find_task(record.dataset.task).selected(record.dev, record.protocol.match).f1
