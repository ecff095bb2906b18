"""Under which names the trials of a study keep what the suite knows of them."""

from __future__ import annotations

from typing import Any

from optuna.trial import FrozenTrial, TrialState

from suite.records.search import TrialRecord

RESULT = "result"
"""Its `TrialRecord` as JSON, where it came to an end."""
STRUCTURE = "structure"
"""Key of its settings."""
LABEL = "label"
"""Name of the published structure that it is."""
WORKER = "worker"
"""Who does it; see `this_worker`."""
DRIVER = "driver"
"""Of a worker: the command that answers for it, where that knows whether it lives."""
DEATHS = "deaths"
"""What became of the workers that died over it since its training last came further."""
AGAIN = "again"
"""Key of a structure that was given up, and is tried once more by another command."""
CHECKED = "checked"
"""Of a long training: key of the short trial of its structure."""
WARM_START = "warm_start"
"""Of which search and trial the choices are."""


def shown(found: TrialRecord) -> dict[str, Any]:
    """What a trial came to as single values, for whoever reads the storage by Optuna's dashboard.

    The suite reads `RESULT`, which holds all of it.
    """
    seen = {
        "state": found.state,
        "failure": found.failure,
        "parameters": found.parameters,
        "peak_memory_mib": found.peak_memory_bytes and round(found.peak_memory_bytes / 2**20),
        "epochs_trained": len(found.epochs),
        "training_seconds": round(found.spent.training, 1),
        **{f"latency_ms_batch_{size}": value for size, value in found.latency_ms.items()},
        **{f"over_{limit}": by for limit, by in found.broken.items()},
        "repeats": found.duplicate_of and " ".join(map(str, found.duplicate_of)),
        **found.structure,
    }
    return {name: value for name, value in seen.items() if value is not None}


def result_of(trial: FrozenTrial) -> TrialRecord | None:
    """What a trial came to; None where it has not ended, or failed as a trial."""
    text = trial.user_attrs.get(RESULT)
    ended = trial.state in {TrialState.COMPLETE, TrialState.PRUNED}
    return None if text is None or not ended else TrialRecord.model_validate_json(text)
