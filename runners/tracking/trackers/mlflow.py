"""MLflow beside a run, in a store of the run's folder; nothing is sent anywhere.

Steps are training steps and timestamps milliseconds of training, so that MLflow's axes are these;
`epoch` and `seconds` are metrics besides. A run that goes on does so in the same MLflow run, and
what that has already is not logged again.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runners.tracking.base import Kind, Tell, Tracked, Tracker
from runners.tracking.flatten import ANSWERS, answer_rows, final, flat, history_row, run_id
from runners.tracking.mlflow_store import ID, NAME, Store, fit, gather
from suite.files import write_atomically
from suite.records.run import Epoch, RunRecord
from suite.tasks.scores import AnsweredExample

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run

TABLE = "test_answers.json"
TABLES_TAG = "mlflow.loggedArtifacts"
"""By which MLflow's page finds the tables of a run."""


class MlflowTracker(Tracker):
    """The MLflow run of what is tracked."""

    def __init__(self, run: Tracked, tell: Tell) -> None:
        del tell
        self._tracked, self._metrics = run, tuple(run.metrics)
        self._store = Store(run.folder / NAME)
        self._run = self._begun() or self._new()
        seconds = self._store.points_of(self._run, ["seconds"])
        self._known = {point.step: point.value for point in seconds}

    def log(self, epoch: Epoch) -> None:
        """Adds an epoch's points to the curves, unless they are there."""
        known = self._known.get(epoch.step)
        if known == epoch.seconds:
            return
        if known is not None:  # the run was trained again from its first epoch
            self._store.client.delete_run(self._run.info.run_id)
            self._run, self._known = self._new(), {}
        row = history_row(epoch, self._metrics)
        self._store.add(self._run, points=_points(row, epoch.step, epoch.seconds))

    def tabulate(self, answers: Sequence[AnsweredExample]) -> None:
        """Shows the answers as a table among the run's files."""
        table = {"columns": ANSWERS, "data": answer_rows(answers)}
        folder = self._store.files_of(self._run)
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / TABLE, json.dumps(table))
        shown = json.dumps([{"path": TABLE, "type": "table"}])
        self._store.add(self._run, tags={TABLES_TAG: shown})

    def summarise(self, record: RunRecord) -> None:
        """Adds the numbers of the record as points at its last step, and its words as tags."""
        found = final(record)
        points = _points(found.numbers, found.step, found.seconds)
        self._store.add(self._run, points=points, tags=found.words)

    def keep(self, files: Sequence[Path]) -> None:
        """Puts copies among the run's files."""
        folder = self._store.files_of(self._run)
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)

    def finish(self, failed: bool) -> None:
        """Closes the run, as `FAILED` or as `FINISHED`."""
        status = "FAILED" if failed else "FINISHED"
        self._store.client.set_terminated(self._run.info.run_id, status)
        self._store.close()

    def abandon(self) -> None:
        """Lets go of the database."""
        self._store.close()

    def _begun(self) -> Run | None:
        """The MLflow run that an earlier start left."""
        experiment = self._store.experiment(self._tracked.group)
        found = self._store.found(experiment, run_id(self._tracked))
        if not found:
            return None
        self._store.client.update_run(found[0].info.run_id, status="RUNNING")
        return found[0]

    def _new(self) -> Run:
        tracked = self._tracked
        run = self._store.client.create_run(
            self._store.experiment(tracked.group),
            start_time=round(1000 * time.time()),
            tags={ID: run_id(tracked), "job_type": tracked.job_type, **tracked.tags},
            run_name=tracked.name,
        )
        self._store.add(run, params=flat(tracked.config))
        return run


def _points(values: Mapping[str, float], step: int, seconds: float) -> list[Metric]:
    from mlflow.entities import Metric as Point  # noqa: PLC0415

    timestamp = round(1000 * seconds)
    named: dict[str, Any] = {fit(name): value for name, value in values.items()}
    return [Point(name, float(value), timestamp, step) for name, value in named.items()]


KIND = Kind(
    title="MLflow",
    start=MlflowTracker,
    packages=("mlflow", "sqlalchemy", "alembic", "sqlparse"),
    extra="mlflow",
    gather=gather,
)
