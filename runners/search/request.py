"""What a `search-structure` command asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runners.suite import Request
from suite.records.search import Limits, PrunerName


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
        sampler_seed: of Optuna's sampler. Each worker has a sampler of its own, seeded by this, by
            its machine, by its number there and by the trials that it finds.
        command: the command line, an argument an item.
        workers: processes of the command; they share the machine.
        pruner: of the first phase.
        check: structures that are trained to the end besides; 0: none.
        check_epochs: of those trainings; None: a multiple of a trial's.
        warm_start: folder of another search, whose best structures are tried early.
    """

    suite: Request
    trials: int
    trade_offs: int
    finalists: int
    limits: Limits
    name: str
    storage: str | None = None
    sampler_seed: int = 0
    command: tuple[str, ...] = ()
    workers: int = 1
    pruner: PrunerName = "median"
    check: int = 0
    check_epochs: int | None = None
    warm_start: Path | None = None
