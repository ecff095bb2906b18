"""Stores of MLflow on disk: a database and the files beside it, which may be moved together.

A run's folder holds a store of its own, so that runs that go on at once, on whatever machine, never
write to one database. `gather` brings what the stores of an output folder hold into one store of
it, for `mlflow ui`; again, it adds what is new.

The locations of files are told by a scheme of MLflow's server (`mlflow-artifacts:`) and not by
paths, which would tell names of folders and hold on no other machine.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suite.names import folder_name

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run

NAME = "mlflow"
"""Of the folder of a store."""
DATABASE = "mlflow.db"
FILES = "artifacts"
ID = "relation_suite.id"
"""Tag of a run: `flatten.run_id`."""
SOURCE = "relation_suite.run"
"""Tag of a gathered run: MLflow's id of it in its own store."""
MOST_METRICS, MOST_OTHERS = 1000, 100
"""That MLflow takes at once."""
_SCHEME = "mlflow-artifacts:/"
_UNFIT = re.compile(r"[^A-Za-z0-9_.:/ -]")


class Store:
    """A store in a folder, which is made where there is none.

    Args:
        folder: of the store, `.../mlflow`.
    """

    def __init__(self, folder: Path) -> None:
        # Read when the package is imported: it would report its use to its makers.
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: PLC0415
        from mlflow.tracking import MlflowClient  # noqa: PLC0415 - an extra, and seconds

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        uri = f"sqlite:///{(folder / DATABASE).absolute()}"
        # Its first experiment would else be located by the path of the current folder.
        self._engine = SqlAlchemyStore(uri, _SCHEME).engine
        self.client = MlflowClient(uri)

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def experiment(self, name: str) -> str:
        """The id of an experiment, which is made where there is none."""
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return found.experiment_id
        return self.client.create_experiment(name, artifact_location=_SCHEME + folder_name(name))

    def found(self, experiment: str, id_: str | None = None) -> list[Run]:
        """The runs of an experiment; of an id (`flatten.run_id`), where one is named."""
        wanted = "" if id_ is None else f"tags.`{ID}` = '{id_}'"
        return list(self.client.search_runs([experiment], wanted))

    def files_of(self, run: Run) -> Path:
        """The folder of a run's files, where MLflow's server looks for them."""
        return self.folder / FILES / run.info.artifact_uri.removeprefix(_SCHEME)

    def points_of(self, run: Run, names: Iterable[str]) -> list[Metric]:
        """All values of some of a run's metrics, in order."""
        read = self.client.get_metric_history
        return [point for name in names for point in read(run.info.run_id, name)]

    def add(
        self,
        run: Run,
        *,
        points: Sequence[Metric] = (),
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Adds to a run, in as many calls as MLflow needs."""
        from mlflow.entities import Param, RunTag  # noqa: PLC0415

        log, id_ = self.client.log_batch, run.info.run_id
        for some in _batches(points, MOST_METRICS):
            log(id_, metrics=some)
        for some in _batches([Param(fit(k), str(v)) for k, v in (params or {}).items()]):
            log(id_, params=some)
        for some in _batches([RunTag(fit(k), v) for k, v in (tags or {}).items()]):
            log(id_, tags=some)


def fit(name: str) -> str:
    """A name as MLflow takes it; relations and settings may be called by any characters."""
    parts = [part for part in _UNFIT.sub("_", name).split("/") if part.strip(".")]
    return "/".join(parts)


def gather(out: Path) -> None:
    """Brings what the stores of an output folder's runs hold into one, `OUT/mlflow`.

    What the store has already is left as it is, and so are its runs' ids.

    Args:
        out: in which, however deep, the runs lie.
    """
    sources = [
        path.parent
        for path in sorted(out.glob(f"**/{NAME}/{DATABASE}"))
        if path.parent != out / NAME
    ]
    if not sources:
        return
    target = Store(out / NAME)
    for folder in sources:
        source = Store(folder)
        for experiment in source.client.search_experiments():
            for run in source.found(experiment.experiment_id):
                if SOURCE not in run.data.tags:  # else it was brought there itself
                    _bring(source, run, target, target.experiment(experiment.name))
        source.close()
    target.close()


def _bring(source: Store, run: Run, target: Store, experiment: str) -> None:
    same = target.found(experiment, run.data.tags[ID])
    there = next((r for r in same if r.data.tags[SOURCE] == run.info.run_id), None)
    for other in same:
        if other is not there:  # it was begun anew since
            target.client.delete_run(other.info.run_id)
    if there is None:
        there = target.client.create_run(
            experiment,
            start_time=run.info.start_time,
            tags={ID: run.data.tags[ID], SOURCE: run.info.run_id},
            run_name=run.info.run_name,
        )
    elif (there.info.status, there.info.end_time) == (run.info.status, run.info.end_time):
        return
    known = {(p.key, p.step) for p in target.points_of(there, there.data.metrics)}
    points = [p for p in source.points_of(run, run.data.metrics) if (p.key, p.step) not in known]
    target.add(there, points=points, params=run.data.params, tags=run.data.tags)
    files = source.files_of(run)
    if files.is_dir():
        shutil.copytree(files, target.files_of(there), dirs_exist_ok=True)
    # Last, as it says that all is there.
    end = run.info.end_time
    if end is not None:
        target.client.set_terminated(there.info.run_id, run.info.status, end)


def _batches(values: Sequence[Any], most: int = MOST_OTHERS) -> Iterator[list[Any]]:
    rest = iter(values)
    while some := list(itertools.islice(rest, most)):
        yield some
