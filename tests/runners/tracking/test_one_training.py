"""One training told to all trackers, cut off and gone on with: each holds what its history holds.

What they left is read back by their own readers, and searched for names that nobody is to be told.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runners.runs import run as runs
from runners.runs.workbench import Workbench
from runners.tracking.base import Tell, Tracked, Tracker
from runners.tracking.flatten import AXES, history_row, summary
from runners.tracking.registry import NAMES, start_tracker
from suite.records.run import Epoch, RunRecord, read_history
from suite.tasks.registry import find_task
from suite.tasks.scores import AnsweredExample
from tests import tiny

EPOCHS, CUT_OFF = 4, 2
USER, HOST = "somebody-by-name", "somehost-by-name"


class Several:
    """Tells several trackers, and is cut off once, after an epoch."""

    def __init__(self, trackers: Sequence[Tracker], *, cut_off: bool) -> None:
        self.trackers, self.cut_off = trackers, cut_off

    def log(self, epoch: Epoch) -> None:
        for tracker in self.trackers:
            tracker.log(epoch)
        if self.cut_off and epoch.epoch == CUT_OFF:
            raise KeyboardInterrupt

    def tabulate(self, answers: Sequence[AnsweredExample]) -> None:
        for tracker in self.trackers:
            tracker.tabulate(answers)

    def summarise(self, record: RunRecord) -> None:
        for tracker in self.trackers:
            tracker.summarise(record)

    def keep(self, files: Sequence[Path]) -> None:
        for tracker in self.trackers:
            tracker.keep(files)

    def finish(self, failed: bool) -> None:
        for tracker in self.trackers:
            tracker.finish(failed)

    def abandon(self) -> None:
        for tracker in self.trackers:
            tracker.abandon()


class Trained(NamedTuple):
    """A run's folder in the home of somebody, and what it recorded."""

    folder: Path
    record: RunRecord
    told: list[str]

    @property
    def rows(self) -> list[dict[str, float]]:
        metrics = find_task(self.record.dataset.task).metrics
        return [history_row(epoch, metrics) for epoch in read_history(self.folder)]

    @property
    def values(self) -> dict[str, Any]:
        return summary(self.record)


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    home = tmp_path_factory.mktemp("home") / USER
    out = home / "out"
    folder = out / "runs" / "fastre" / "tiny" / "3"
    plan = tiny.make_plan(dataset, epochs=EPOCHS, patience=EPOCHS)
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith(("WANDB_", "MLFLOW_"))]:
            patch.delenv(name)
        for name in ("CONFIG", "CACHE", "DATA"):
            patch.setenv(f"WANDB_{name}_DIR", str(tmp_path_factory.mktemp("wandb") / name))
        for name in ("USER", "LOGNAME", "USERNAME"):
            patch.setenv(name, USER)
        patch.setattr("socket.gethostname", lambda: HOST)
        patch.setattr("platform.node", lambda: HOST)
        tiny.write_plan(folder, plan)
        for cut_off in (True, False):

            def start(_: str, run: Tracked, warn: Tell, cut_off: bool = cut_off) -> Tracker:
                started = [start_tracker(name, run, told.append) for name in NAMES]
                return Several(started, cut_off=cut_off)

            patch.setattr(runs, "start_tracker", start)
            record = runs.run(folder, Workbench(plan))
            assert record.status == ("interrupted" if cut_off else "complete"), record.failure
        import wandb

        wandb.teardown()
        yield Trained(folder, record, told)


def test_nobody_has_anything_to_warn_of(trained: Trained) -> None:
    assert trained.told == []
    assert len(trained.rows) == EPOCHS > CUT_OFF
    assert {*AXES, "train/loss", "dev/partial/f1", "dev/exact/f1"} <= trained.rows[0].keys()


def test_wandb_holds_the_history(trained: Trained) -> None:
    from tests.runners.tracking.wandb_file import history, read_records, run_summary

    first, last = sorted(trained.folder.glob("wandb/offline-run-*/run-*.wandb"))
    assert first.name == last.name, "the id changed"
    records = read_records(last)
    found = [{k: v for k, v in row.items() if k[0] != "_"} for row in history(records)]
    assert found == trained.rows
    final = run_summary(records)
    assert {key: final.get(key) for key in trained.values} == json.loads(json.dumps(trained.values))
    assert final["test/answers"]["nrows"] == tiny.SIZES["test"]


def test_mlflow_holds_the_history_once(trained: Trained) -> None:
    from runners.tracking.mlflow_store import Store

    store = Store(trained.folder / "mlflow")
    (experiment,) = (e for e in store.client.search_experiments() if e.name == "tiny")
    (run,) = store.found(experiment.experiment_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["seed"] == "3"
    assert run.data.params["protocol/epochs"] == str(EPOCHS)
    for name in trained.rows[0]:
        points = store.client.get_metric_history(run.info.run_id, name)
        assert [point.value for point in points] == [row[name] for row in trained.rows], name
        assert [point.step for point in points] == [row["step"] for row in trained.rows]
        seconds = [point.timestamp / 1000 for point in points]
        assert seconds == pytest.approx([row["seconds"] for row in trained.rows], abs=1e-3)
    shared_names(trained, run.data.metrics)
    table = json.loads((store.files_of(run) / "test_answers.json").read_text())
    assert len(table["data"]) == tiny.SIZES["test"]
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/tiny/")


def shared_names(trained: Trained, found: dict[str, float]) -> None:
    """The numbers of the summary stand there, dev scores beside their curve."""
    for name, value in trained.values.items():
        shown = f"selected/{name}" if name.startswith("dev/") else name
        if isinstance(value, float):
            assert found[shown] == pytest.approx(value, rel=1e-6), shown


def test_tensorboard_holds_the_history_once(trained: Trained) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = trained.folder / "tensorboard"
    events = EventAccumulator(str(folder))
    events.Reload()
    for name in trained.rows[0]:
        points = events.Scalars(name)
        assert [p.value for p in points] == pytest.approx([r[name] for r in trained.rows]), name
        assert [point.step for point in points] == [row["step"] for row in trained.rows]
        assert [p.wall_time for p in points] == [row["seconds"] for row in trained.rows]
    tags = events.Tags()
    shared_names(trained, {name: events.Scalars(name)[-1].value for name in tags["scalars"]})
    assert b"complete" in events.Tensors("summary")[-1].tensor_proto.string_val[0]
    content = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    assert b"settings/width" in content


@pytest.mark.parametrize("tracker", sorted({*NAMES} - {"none"}))
def test_no_name_of_host_user_or_folder_is_written(trained: Trained, tracker: str) -> None:
    files = [path for path in (trained.folder / tracker).rglob("*") if path.is_file()]
    assert files
    private = {USER, HOST, socket.getfqdn(), str(trained.folder), str(tiny.ROOT)}
    private |= {name for name in (getpass.getuser(), os.uname().nodename) if len(name) > 4}
    for path in files:
        below = path.relative_to(trained.folder).as_posix()
        content = path.read_bytes()
        assert not [p for p in private if p in below or p.encode() in content], below
