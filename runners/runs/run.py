"""One run, from the first step to its record.

Leaves `history.jsonl`, `predictions.jsonl` and `predictions-dev.jsonl`, the selected weights, and a
`record.json` that says how the run ended, whatever happened.
"""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from runners.runs.checkpoint import Checkpoints
from runners.runs.environment import environment, load_average
from runners.runs.evaluate import EncodedSplit
from runners.runs.failures import in_a_line, memory_ran_out
from runners.runs.memorise import Memoriser
from runners.runs.train import DivergedError, Trainer, parameters
from runners.runs.workbench import Workbench, configuration, dataset_facts
from runners.tracking.base import Tracked, Tracker
from runners.tracking.registry import start_tracker
from suite.artifact import thresholds, write_artifact
from suite.artifact.facts import OF_A_RUN
from suite.errors import SuiteError
from suite.files import write_atomically, write_lines
from suite.records.run import DEV_PREDICTIONS, PREDICTIONS, RunRecord, Status
from suite.systems.capabilities import Memorises
from suite.tasks.registry import find_task
from suite.tasks.scores import Evaluation

Fitting: TypeAlias = Trainer | Memoriser
"""What fits a run's system."""


@dataclass
class Ending:
    """How a run ended short of completion."""

    status: Status
    failure: str


def run(folder: Path, bench: Workbench) -> RunRecord:
    """Trains, selects, tests and records one run.

    Raises:
        SuiteError: the plan asks for what is not here; there is nothing to record then.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    load = load_average()
    record = planned_record(bench, started)
    tracker = make_tracker(bench, record, folder)
    ending: Ending | None = None
    try:
        record = record.model_copy(update={"system": bench.facts_of_a_run()})
        record = _train_and_test(bench, record, folder, tracker, load)
    except DivergedError as error:
        ending = Ending("diverged", f"not a finite number: {error}")
    except KeyboardInterrupt:
        ending = Ending("interrupted", "stopped by the user; the same command goes on with it")
    except SuiteError:
        tracker.finish(failed=True)
        raise
    except Exception as error:  # a system's own mistake must not end the suite
        traceback.print_exc()
        status: Status = "out of memory" if memory_ran_out(error) else "failed"
        ending = Ending(status, in_a_line(error))
    if ending:
        record = record.model_copy(update={"status": ending.status, "failure": ending.failure})
    record.write(folder)
    if record.status == "complete":
        Checkpoints(folder / "checkpoint", record.configuration).drop()
    tracker.summarise(record)
    tracker.finish(failed=record.status != "complete")
    return record


def planned_record(bench: Workbench, started: str, *, elsewhere: bool = False) -> RunRecord:
    """The record of a run of which nothing is known but its plan.

    Args:
        bench: of the run.
        started: when, UTC; empty where it has not.
        elsewhere: whether another machine is to do it.
    """
    facts = dataset_facts(bench.dataset)
    where = environment(bench.plan.device, elsewhere=elsewhere)
    versions = [where.versions["torch"].partition("+")[0]]  # after it: the device built for
    system = bench.system_facts()
    return RunRecord(
        configuration=configuration(bench.plan, facts.fingerprints, versions, system),
        suite=bench.plan.suite,
        system=system,
        dataset=facts,
        protocol=bench.protocol,
        seed=bench.plan.seed,
        environment=where,
        started=started,
        status="failed",
        failure="never started",
    )


def make_tracker(bench: Workbench, record: RunRecord, folder: Path) -> Tracker:
    """The run's tracker, which knows it over resumptions."""
    plan, system = bench.plan, record.system
    config = {
        "configuration": record.configuration,
        "system": system.name,
        "settings": system.settings,
        "dataset": record.dataset.name,
        "seed": plan.seed,
        "protocol": plan.protocol.model_dump(mode="json"),
    }
    tracked = Tracked(
        folder=folder,
        group=plan.suite,
        name=f"{system.key}-{record.dataset.name}-{plan.seed}",
        config=config,
        metrics=find_task(record.dataset.task).metrics,
        tags={
            "system": system.key,
            "dataset": record.dataset.name,
            "task": record.dataset.task,
            # Not the encoder's own name, which may be a folder of the user's.
            "encoder": system.encoder_family or system.encoder_kind,
            "device": bench.device.type,
            "seed": str(plan.seed),
        },
        online=plan.wandb == "online",
    )
    # The suite passes on what is printed.
    return start_tracker(plan.tracker, tracked, lambda said: print(said, flush=True))


def _train_and_test(
    bench: Workbench, record: RunRecord, folder: Path, tracker: Tracker, load: float
) -> RunRecord:
    trainer: Fitting
    if issubclass(bench.system, Memorises):
        trainer = Memoriser(bench, folder)
    else:
        trainer = Trainer(bench, folder, record.configuration)
    dev = trainer.fit(tracker)
    splits = {"train": trainer.train, "dev": trainer.dev}
    scores: Evaluation | None = None
    if bench.plan.test:
        splits["test"] = EncodedSplit(trainer.system, bench, bench.dataset.test, bench.device)
        scores = _test(trainer, splits["test"], dev.measures.get("theta"), folder, tracker)
    cost = trainer.cost(load)  # before the model is written, which is no part of training
    return record.model_copy(
        update={
            "status": "complete",
            "failure": None,
            "parameters": parameters(trainer.system),
            "training": cost,
            "dev": dev,
            "test": scores,
            "model": _leave_model(trainer, record, folder, dev, scores),
            "ceiling": {name: trainer.evaluator.ceiling(split) for name, split in splits.items()},
        }
    )


def _leave_model(
    trainer: Fitting, record: RunRecord, folder: Path, dev: Evaluation, test: Evaluation | None
) -> str:
    """Writes the run's model, and what it predicts on dev; the model's digest."""
    bench, task = trainer.bench, find_task(trainer.bench.dataset.task)
    # The scores stand, and how many gold items there are; slices are the report's.
    scores = {
        name: found and found.model_copy(update={"slices": {}})
        for name, found in (("dev", dev), ("test", test))
    }
    answers = trainer.evaluator.answer_dev(trainer.dev, dev.measures.get("theta"))
    if bench.plan.test:
        write_lines(folder / DEV_PREDICTIONS, answers.outcomes)
    facts = {
        **scores,
        "system": record.system,
        "dataset": record.dataset,
        "thresholds": thresholds(answers.graded, task.selected(dev, bench.protocol.match).gold),
        "versions": record.environment.versions,
    }
    return write_artifact(folder / OF_A_RUN, bench.parts(trainer.system, facts))


def _test(
    trainer: Fitting, test: EncodedSplit, theta: float | None, folder: Path, tracker: Tracker
) -> Evaluation | None:
    """Scores test and leaves what was predicted; None for documents that are not labelled."""
    tested = trainer.evaluator.on_test(test, theta)
    write_lines(folder / PREDICTIONS, tested.outcomes)
    tracker.tabulate(tested.outcomes)
    task = find_task(trainer.bench.dataset.task)
    entries = task.competition_entries(test.gold, tested.predictions)
    if entries is not None:
        write_atomically(folder / "result.json", json.dumps(entries))
    return tested.evaluation
