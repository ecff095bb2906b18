"""The record of a structure search, `search.json`: the one thing that its report is made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field

from suite.files import StrictModel, read_model, write_atomically
from suite.protocol import Protocol
from suite.records.run import DatasetFacts, Environment, SystemFacts

SEARCH_FORMAT: Final = 2

Phase = Literal["accuracy", "trade-off", "check"]
"""The search for dev F1 alone, with pruning; that for dev F1, latency and parameters; some of their
structures again, trained to the end."""

PrunerName = Literal["median", "halving", "hyperband", "none"]
"""Under the median of the trials before; successive halving; in brackets; no trial is pruned."""

Constraint = Literal["latency", "memory"]


class Limits(StrictModel):
    """What a structure must keep to.

    Attributes:
        latency_ms: median milliseconds a sentence, words to predictions; None: no limit.
        latency_batch: sentences at once for that latency, limit or none.
        memory_mb: peak MiB of the training process; None: no limit.
    """

    latency_ms: float | None = None
    latency_batch: int = 1
    memory_mb: float | None = None


class Spent(StrictModel):
    """Seconds of wall clock that went into a trial itself."""

    training: float = 0.0
    evaluation: float = 0.0
    measuring: float = 0.0

    @property
    def total(self) -> float:
        """All of them."""
        return self.training + self.evaluation + self.measuring


class TrialRecord(StrictModel):
    """A structure that was tried.

    Attributes:
        number: of the trial in its phase.
        key: equal for trials of equal settings, which are trained once.
        label: what the paper's table calls it, where it is one of its structures.
        state: of the trial; one of equal settings has the state of the first.
        choices: by which the search varied the settings.
        settings: all of the system's.
        structure: heading -> cell, as the system describes itself.
        dev_f1: of the selected epoch; None where there was none.
        epochs: dev F1 after each epoch.
        latency_ms: batch size -> median milliseconds a sentence of dev.
        alone: whether no other trial of the machine was under way while it was trained; None where
            that is not known.
        measured_alone: likewise, while its latency was measured.
        node: name of the cluster's node that trained it; None where it was the worker's machine.
        broken: constraint -> by how much it is not kept to, in its unit; empty where all are.
        duplicate_of: number and phase of the trial that trained it.
        failure: why it has no result.
        given_up: whether it failed because worker after worker died over it; `failure` says of
            what.
        warm_start: of which search and trial its choices are.
    """

    phase: Phase
    number: int
    key: str
    label: str | None
    state: Literal["complete", "pruned", "failed"]
    choices: dict[str, Any]
    settings: dict[str, Any]
    structure: dict[str, str]
    dev_f1: float | None = None
    epochs: tuple[float, ...] = ()
    parameters: int | None = None
    peak_memory_bytes: int | None = None
    latency_ms: dict[int, float] = Field(default_factory=dict)
    spent: Spent = Spent()
    alone: bool | None = None
    measured_alone: bool | None = None
    node: str | None = None
    broken: dict[Constraint, float] = Field(default_factory=dict)
    duplicate_of: tuple[Phase, int] | None = None
    failure: str | None = None
    given_up: bool = False
    warm_start: str | None = None

    @property
    def name(self) -> str:
        """As the report calls it."""
        return f"{self.phase} {self.number}"

    @property
    def size(self) -> float:
        """Parameters; infinitely many where they are not known."""
        return math.inf if self.parameters is None else float(self.parameters)


class Finalist(StrictModel):
    """A structure that was trained again over seeds, under a variant's name."""

    variant: str
    title: str
    key: str
    reason: str


class Check(StrictModel):
    """Short trainings against long ones.

    Attributes:
        epochs: of the long trainings, at most.
        trials: the long trainings; each has the settings of a trial of the search.
    """

    epochs: int
    trials: tuple[TrialRecord, ...]


class WorkerTime(StrictModel):
    """What a worker's time went into, seconds of wall clock.

    Attributes:
        alive: from the start of its work to its end.
        spent: training, evaluating and measuring.
        waiting: for trials of other workers.
    """

    name: str
    alive: float
    spent: float
    waiting: float


class SearchRecord(StrictModel):
    """A search as far as it has come.

    Attributes:
        command: the command line, an argument an item.
        system: with the settings that the search started from.
        default_key: the key of those settings.
        trials: of both phases, in the order of their numbers.
        check: of the order of short trials; None where none was asked for.
        pruner: by which trials of the first phase were ended.
        rungs: epochs at which it judged a trial, of those before the last.
        not_taken: what of another search's trials this one could not start from.
        finalists: the first is the system that the search started from.
        importances: choice -> PED-ANOVA importance for dev F1, summing to 1; none where there
            were too few trials.
        workers: those that came to an end; of one that was killed nothing is known.
    """

    format: Literal[2] = SEARCH_FORMAT
    name: str
    version: str
    created: str
    command: tuple[str, ...]
    system: SystemFacts
    dataset: DatasetFacts
    protocol: Protocol
    environment: Environment
    limits: Limits
    default_key: str
    trials: tuple[TrialRecord, ...]
    finalists: tuple[Finalist, ...]
    importances: dict[str, float]
    workers: tuple[WorkerTime, ...]
    check: Check | None = None
    pruner: PrunerName = "median"
    rungs: tuple[int, ...] = ()
    not_taken: tuple[str, ...] = ()

    def write(self, out: Path) -> None:
        """Writes `search.json`, whole or not at all."""
        write_atomically(out / "search.json", self.model_dump_json(indent=1))


def read_search(path: Path) -> SearchRecord:
    """Reads a `search.json`.

    Raises:
        SuiteError: the file cannot be read, or is not a search of this format.
    """
    return read_model(
        path,
        SearchRecord,
        "search",
        form=SEARCH_FORMAT,
        remedy="Name the output folder of a search-structure command of this version.",
    )


def best_first(trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Structures that were trained to the end, once each, by dev F1."""
    found = [t for t in trials if t.state == "complete" and t.duplicate_of is None]
    return sorted(found, key=lambda t: (-(t.dev_f1 or 0.0), t.phase, t.number))


def front(
    trials: Sequence[TrialRecord], *costs: Callable[[TrialRecord], float]
) -> list[TrialRecord]:
    """Those that no other one beats in dev F1 and all costs at once, in their order.

    Args:
        trials: with a dev F1 and every cost.
        costs: of a trial; less is better.
    """
    own = [(-(t.dev_f1 or 0.0), *(cost(t) for cost in costs)) for t in trials]

    def beaten(one: tuple[float, ...]) -> bool:
        return any(o != one and all(a <= b for a, b in zip(o, one, strict=True)) for o in own)

    return [t for t, its in zip(trials, own, strict=True) if not beaten(its)]
