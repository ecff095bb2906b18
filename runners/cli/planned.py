"""What `run-suite` is about to do, on one screen, with the time that it will take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from rich.table import Table

from runners.cli.command import console
from runners.options.groups import MIN_STEPS

if TYPE_CHECKING:
    from runners.executors.base import PlannedRun
    from runners.executors.estimate import Estimate
    from runners.suite import Suite

ROWS = 12
"""Of the table at most; where there are more, systems of a dataset share one."""
NAMED = 3
"""Systems that a shared row names."""
TIMED = 6
"""Systems whose time is told apart: those that take longest."""

Estimates: TypeAlias = "Mapping[tuple[str, str], Estimate | str]"
"""System and dataset -> what a run would take, or why that is not known."""


def print_plan(suite: Suite, out: str) -> None:
    """What is run on what, for how long at most, from what, and what is not run."""
    console.print(_table(suite))
    request = suite.request
    for line in (*_resources(suite), *_not_run(suite), *_notes(suite)):
        console.print(line, markup=False)
    if request.vectors is not None and not _is_read(suite):
        console.print(
            f"{request.vectors}: not read yet; whether runs with these vectors are done, is not "
            "known before",
            markup=False,
        )
    console.print(f"output: {out}", markup=False)


def print_estimate(suite: Suite, found: Estimates) -> None:
    """What each system's runs will take, and all of them."""
    from runners.executors.estimate import Estimate, of_run, whole  # noqa: PLC0415 - imports torch

    left = suite.left()
    known = {key: one for key, one in found.items() if isinstance(one, Estimate)}
    timed = [(run, of_run(known[_key(run)], run)) for run in left if _key(run) in known]
    estimated = [one for _, one in timed]
    reasons = {key: why for key, why in found.items() if not isinstance(why, Estimate)}
    for (system, dataset), why in reasons.items():
        console.print(f"no estimate of {system} on {dataset}: {why}", markup=False)
    missing = len(left) - len(estimated)
    if not estimated:
        console.print("time: not known", markup=False)
        return
    sums: dict[str, float] = {}
    for run, one in timed:
        system = run.planned.system.key
        sums[system] = sums.get(system, 0.0) + one.seconds
    time = whole(estimated, suite.request.workers)
    longest = sorted(sums, key=lambda system: -sums[system])
    parts = [f"{system} {lasting(sums[system])}" for system in longest[:TIMED]]
    parts += ["..."] if len(longest) > TIMED else []
    beside = f", and {missing} runs of which it is not known" if missing else ""
    console.print(
        f"time: about {lasting(time.seconds)} ({lasting(time.least)} to {lasting(time.most)}) if "
        f"every training runs all its epochs{beside}: {', '.join(parts)}",
        markup=False,
    )


def lasting(seconds: float) -> str:
    """A length of time to two digits: `40 s`, `3.6 min`, `12 h`, `4.2 days`."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= (1.5 if unit == "days" else 1) * size:
            value = seconds / size
            return f"{value:.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{seconds:.0f} s"


def _key(run: PlannedRun) -> tuple[str, str]:
    return run.planned.system.key, run.planned.dataset.name


def _table(suite: Suite) -> Table:
    """A row for each system and dataset; of many, one for those of a dataset that are alike."""
    table = Table("system", "dataset", "seeds", "epochs", box=None, pad_edge=False)
    table.add_column("state", no_wrap=True)
    groups: dict[tuple[str, str], list[PlannedRun]] = {}
    for run in suite.runs:
        groups.setdefault(_key(run), []).append(run)
    rows: dict[tuple[str, ...], list[str]] = {}
    for (system, dataset), runs in groups.items():
        alike = dataset, str(len(runs)), _length(suite, runs[0]), _states(runs)
        key = alike if len(groups) > ROWS else (*alike, system)
        rows.setdefault(key, []).append(system)
    for (dataset, seeds, length, state, *_), systems in rows.items():
        table.add_row(_some(systems), dataset, seeds, length, state)
    return table


def _some(names: list[str]) -> str:
    """All of a few names; of many, the first and how many there are."""
    if len(names) <= NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"


def _states(runs: list[PlannedRun]) -> str:
    """What an earlier command left of them; `other settings` is kept, or replaced if asked."""
    counts = Counter(run.state for run in runs)
    if counts.keys() == {"to do"}:
        return "to do"
    return ", ".join(f"{count} of {len(runs)} {state}" for state, count in counts.items())


def _length(suite: Suite, run: PlannedRun) -> str:
    """Epochs at most, and where they are few steps, how many."""
    from suite.systems.capabilities import Memorises  # noqa: PLC0415 - imports torch
    from suite.systems.registry import find_system  # noqa: PLC0415

    if issubclass(find_system(run.plan.system), Memorises):
        return "nothing to train"
    per_epoch = suite.steps_per_epoch(run)
    epochs = run.plan.protocol.length(per_epoch)
    steps = epochs * per_epoch
    return f"{epochs:,} ({steps:,} steps)" if steps <= MIN_STEPS else f"{epochs:,}"


def _resources(suite: Suite) -> Iterator[str]:
    """What systems are built from: a line each, with those that have it."""
    found: dict[str, dict[str, None]] = {}
    for run in suite.runs:
        facts = run.planned.system
        for source in filter(None, (facts.pretrained, facts.vectors, facts.parser)):
            found.setdefault(source, {})[facts.key] = None
    return (f"{_some(list(systems))}: {source}" for source, systems in found.items())


def _not_run(suite: Suite) -> Iterator[str]:
    """What is not run and why; systems of other tasks by number."""
    others = Counter(c.dataset for c in suite.cannot if c.kind == "other task")
    many = others.total() > NAMED
    if many:
        counted = (f"{count} on {dataset}" for dataset, count in others.items())
        yield f"systems that are not run, since the task is not theirs: {', '.join(counted)}"
    for cannot in suite.cannot:
        if not (many and cannot.kind == "other task"):
            yield f"not run: {cannot.reason} ({cannot.dataset})"


def _notes(suite: Suite) -> Iterable[str]:
    """What is said of the data, each sentence once."""
    found: dict[str, list[str]] = {}
    for loaded in suite.datasets:
        for note in loaded.notes:
            found.setdefault(note, []).append(loaded.name)
    return (f"{', '.join(names)}: {note}" for note, names in found.items())


def _is_read(suite: Suite) -> bool:
    from suite.modelling.word_vectors import VectorsFile  # noqa: PLC0415 - imports torch

    vectors = suite.request.vectors
    return vectors is None or VectorsFile(vectors).digest is not None
