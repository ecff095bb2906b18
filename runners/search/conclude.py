"""What a search leaves behind: `search.json` and `best.yaml`."""

from __future__ import annotations

import logging
import warnings
from datetime import UTC, datetime
from pathlib import Path

import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import TrialState

import suite
from runners.search.check import check_of
from runners.search.finals import Finals
from runners.search.pruning import rungs
from runners.search.search import Search
from runners.search.warm_start import NOT_TAKEN
from runners.search.worker import WORKED
from suite.records.search import SearchRecord, WorkerTime
from suite.systems.variants import write_variant

BEST = "best.yaml"


def conclude(search: Search, finals: Finals) -> tuple[SearchRecord, Path]:
    """Writes the record of a search, the report of its finals and its best structure."""
    accuracy = search.accuracy()
    pruner = search.request.pruner
    finals.report()
    record = SearchRecord(
        name=search.request.name,
        version=suite.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=search.request.command,
        system=search.planned.system,
        dataset=search.planned.dataset,
        protocol=search.base.protocol,
        environment=search.planned.environment,
        limits=search.request.limits,
        default_key=search.default_key,
        trials=search.trials(),
        finalists=finals.finalists,
        importances=_importances(accuracy),
        workers=tuple(
            WorkerTime.model_validate(value)
            for name, value in accuracy.user_attrs.items()
            if name.startswith(WORKED)
        ),
        check=check_of(search),
        pruner=pruner,
        rungs=rungs(pruner, search.base.protocol.epochs),
        not_taken=tuple(accuracy.user_attrs.get(NOT_TAKEN, ())),
    )
    record.write(search.out)
    best = finals.best().model_copy(update={"name": Path(BEST).stem})
    path = search.out / BEST
    write_variant(best, path)
    return record, path


def _importances(study: optuna.Study) -> dict[str, float]:
    """Choice -> how much good trials differ from all in it, summing to 1; empty where too few.

    Of the choices that every trial makes; rates, widths and kernels of a block by its number exist
    under some patterns alone.
    """
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    shared = set.intersection(*(set(t.params) for t in trials)) if trials else set()
    varied = sorted(p for p in shared if len({t.params[p] for t in trials}) > 1)
    logging.getLogger("optuna").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = optuna.importance.get_param_importances(
                study, evaluator=PedAnovaImportanceEvaluator(), params=varied
            )
        except (ValueError, RuntimeError):  # fewer trials than it can compare
            return {}
    return {name: float(value) for name, value in found.items()}
