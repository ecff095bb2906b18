"""Output folders for joining, made from records alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.answer import find_answers
from reports.load import load_results
from reports.report import compose, sections
from runners.joining.join import join
from suite.records.run import RunRecord
from suite.records.suite import SuitePlan
from tests.reports.folder import PROTOCOL, epochs, plan, record, write_run

OTHER = PROTOCOL.model_copy(update={"epochs": 9})


def configured(run: RunRecord) -> RunRecord:
    """The run with a configuration that its settings, protocol, data and seed decide."""
    decides = {
        "system": run.system.model_dump(mode="json", include={"name", "settings", "vectors"}),
        "protocol": run.protocol.model_dump(mode="json"),
        "data": run.dataset.fingerprints,
        "seed": run.seed,
    }
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()
    return run.model_copy(update={"configuration": digest[:16]})


def run_of(
    seed: int = 0,
    system: str = "fastre",
    dataset: str = "webnlg-star",
    *,
    alone: bool | None = None,
    **how: Any,
) -> RunRecord:
    """A complete run; `alone` says how all of its times were taken."""
    run = configured(record(system, dataset, seed, **how))
    costs = tuple(cost.model_copy(update={"alone": alone}) for cost in run.inference)
    assert run.training is not None
    training = run.training.model_copy(update={"alone": alone})
    return run.model_copy(update={"inference": costs, "training": training})


def write(out: Path, *runs: RunRecord, planned: SuitePlan | None = None) -> Path:
    """An output folder of these runs, as `run-suite` leaves it."""
    (planned or plan_of(*runs)).write(out)
    for run in runs:
        folder = write_run(out, run, epochs(0.5, 1, run.seed))
        (folder / "run.json").write_text("{}")
        (folder / "log.txt").write_text("said\n")
        (folder / ".lock").touch()
        (folder / "wandb").mkdir()
        (folder / "model").mkdir()
        (folder / "model" / "weights").write_bytes(b"weights")
    return out


def plan_of(*runs: RunRecord, **changes: object) -> SuitePlan:
    """The plan of a command that did these runs."""
    systems = list(dict.fromkeys(run.system.key for run in runs))
    datasets = list(dict.fromkeys(run.dataset.name for run in runs))
    found = plan(datasets, systems, sorted({run.seed for run in runs}))
    protocols: dict[str, dict[str, object]] = {}
    for run in runs:
        protocols.setdefault(run.system.key, {})[run.dataset.name] = run.protocol
    return found.model_copy(update={"protocols": protocols, **changes})


def joined(
    folders: Sequence[Path], out: Path, *, apart: bool = False
) -> tuple[Path, list[str], str]:
    """The joined folder, what was said, and its report without figures, which take their time."""
    said = join(folders, out, apart=apart, finish=lambda folder: None)
    loaded = load_results(out)
    return out, said, compose(loaded, sections(loaded, {}, find_answers(loaded.groups)))


def kept(out: Path) -> dict[str, RunRecord]:
    """Place of each run -> its record."""
    found = {
        "/".join(path.parts[-4:-1]): RunRecord.model_validate_json(path.read_bytes())
        for path in (out / "runs").glob("*/*/*/record.json")
    }
    return dict(sorted(found.items()))
