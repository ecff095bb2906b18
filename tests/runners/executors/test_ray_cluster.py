"""Runs on a cluster of several nodes: what they leave is what runs on one machine leave."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runners.executors.base import (
    Ended,
    Event,
    PlannedRun,
    Progressed,
    Restarted,
    Started,
)
from runners.executors.local import LocalExecutor
from runners.executors.lock import locked
from runners.runs.run import planned_record
from runners.runs.workbench import Workbench
from suite.errors import SuiteError
from suite.records.run import RunRecord, read_history, read_record
from tests import tiny

ray = pytest.importorskip("ray", reason="Ray is not installed: runs on it are not checked")

from ray.cluster_utils import Cluster as Nodes  # noqa: E402

from runners.cluster import connected  # noqa: E402
from runners.executors.nodes import device_of  # noqa: E402
from runners.executors.ray_cluster import Cluster, RayExecutor  # noqa: E402

pytestmark = pytest.mark.slow
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A head without CPUs, and two nodes of one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tiny.ROOT))
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        head = {"num_cpus": 0, "node_name": "head", "include_dashboard": False}
        cluster = Nodes(initialize_head=True, head_node_args=head)
        for name in ("a", "b"):
            cluster.add_node(num_cpus=1, node_name=name)
        cluster.wait_for_nodes()
        yield cluster
        cluster.shutdown()


@pytest.fixture(scope="module")
def cluster(nodes: Nodes) -> Iterator[Cluster]:
    with connected(nodes.address, 1) as module:
        yield Cluster(module, on_node=True, memory=0.25)


def planned(
    dataset: Path, out: Path, seeds: Sequence[int] = SEEDS, **changes: Any
) -> list[PlannedRun]:
    runs = []
    for seed in seeds:
        plan = tiny.make_plan(dataset, seed=seed, **{"epochs": 2, **changes})
        record = planned_record(Workbench(plan), "", elsewhere=True)
        runs.append(PlannedRun(plan, out / "runs" / str(seed), record))
    return runs


@pytest.fixture(scope="module")
def at_home(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> list[PlannedRun]:
    runs = planned(dataset, tmp_path_factory.mktemp("home"), epochs=12)
    LocalExecutor(2).run_all(runs, lambda event: None)
    return runs


def carried_out(
    cluster: Cluster, out: Path, runs: Sequence[PlannedRun], hook: Callable[[Event], None]
) -> list[Event]:
    heard: list[Event] = []

    def hear(event: Event) -> None:
        heard.append(event)
        hook(event)

    RayExecutor(cluster, out).run_all(runs, hear)
    return heard


def left(run: PlannedRun) -> tuple[object, ...]:
    """What of a run must not depend on where it was done."""
    record = read_record(run.folder / "record.json")
    said = {"configuration", "seed", "status", "parameters", "dev", "test", "ceiling", "model"}
    predicted = (run.folder / "predictions.jsonl").read_bytes()
    epochs = [epoch.epoch for epoch in read_history(run.folder)]
    return record.model_dump(include=said), predicted, epochs, (run.folder / "run.json").read_text()


class Blind(RayExecutor):
    """Whose nodes do not see OUT."""

    @contextmanager
    def _token(self) -> Iterator[tuple[Path, str]]:
        yield Path("/nowhere/token"), "unseen"


def test_a_run_is_what_it_is_at_home_and_says_where_it_was(
    cluster: Cluster, at_home: list[PlannedRun], dataset: Path, tmp_path: Path
) -> None:
    runs = planned(dataset, tmp_path, epochs=12)
    heard = carried_out(cluster, tmp_path, runs, lambda event: None)
    assert list(map(left, runs)) == list(map(left, at_home))
    assert {e.node for e in heard if isinstance(e, Started)} <= {"a", "b"}
    assert sum(isinstance(e, Ended) for e in heard) == len(runs)
    for run in runs:
        record = read_record(run.folder / "record.json")
        assert record.node in {"a", "b"}
        assert [cost.node for cost in record.inference] == [record.node]
        assert [cost.alone for cost in record.inference] == [True]
        assert record.training is not None
        assert record.training.alone is True, "each node has one CPU"


def test_a_node_that_dies_takes_nothing_along_though_no_node_sees_out(
    nodes: Nodes,
    cluster: Cluster,
    at_home: list[PlannedRun],
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One node is lost without grace after an epoch of a run whose checkpoint the desk keeps."""
    doomed = nodes.add_node(num_cpus=1, node_name="doomed")
    nodes.wait_for_nodes()
    runs = planned(dataset, tmp_path, epochs=12)
    there: dict[Path, str | None] = {}
    lost: list[PlannedRun] = []

    def lose(event: Event) -> None:
        if isinstance(event, Started):
            there[event.run.folder] = event.node
        elif isinstance(event, Progressed):
            begun = there[event.run.folder] == "doomed" and event.line["epoch"] >= 2
            if begun and not lost:
                lost.append(event.run)
                nodes.remove_node(doomed, allow_graceful=False)

    heard: list[Event] = []
    Blind(cluster, tmp_path).run_all(runs, lambda e: (heard.append(e), lose(e))[0])
    assert len(lost) == 1, "nothing ran on the node that was to die"
    assert [e.run for e in heard if isinstance(e, Restarted)] == lost
    assert list(map(left, runs)) == list(map(left, at_home))
    record = read_record(lost[0].folder / "record.json")
    assert record.training is not None
    assert record.training.resumed == 1, "it began anew though it had a checkpoint"
    assert not list(tmp_path.rglob(".seen*"))


def test_a_node_that_dies_while_it_measures_is_replaced(
    nodes: Nodes, cluster: Cluster, at_home: list[PlannedRun], dataset: Path, tmp_path: Path
) -> None:
    runs = planned(dataset, tmp_path, (0,), epochs=12)
    shutil.copytree(at_home[0].folder, runs[0].folder)
    before = left(runs[0])
    there: list[str | None] = []

    def lose(event: Event) -> None:
        if isinstance(event, Started):
            there.append(event.node)
            doomed = next(n for n in nodes.worker_nodes if n._ray_params.node_name == event.node)
            nodes.remove_node(doomed, allow_graceful=False)
            nodes.add_node(num_cpus=1, node_name=f"after {event.node}")

    carried_out(cluster, tmp_path, runs, lose)
    record = read_record(runs[0].folder / "record.json")
    assert len(there) >= 1
    assert left(runs[0]) == before
    assert [cost.failure for cost in record.inference] == [None]
    assert record.inference[0].node != there[0]


def test_what_on_event_raises_ends_the_runs_which_leave_records(
    cluster: Cluster, dataset: Path, tmp_path: Path
) -> None:
    runs = planned(dataset, tmp_path, (0, 1, 2, 3), epochs=400)

    def end(event: Event) -> None:
        if isinstance(event, Progressed) and "dev_f1" in event.line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carried_out(cluster, tmp_path, runs, end)
    begun = [run for run in runs if (run.folder / "checkpoint" / "last.pt").exists()]
    records = [read_record(run.folder / "record.json") for run in begun]
    assert begun
    assert {record.status for record in records} == {"interrupted"}
    assert len(begun) < len(runs), "what had not begun was begun"


def test_a_mistake_names_the_node(cluster: Cluster, dataset: Path, tmp_path: Path) -> None:
    (run,) = planned(dataset, tmp_path, (0,))
    record = run.planned.model_copy(update={"configuration": "0" * 16})
    other = PlannedRun(run.plan, run.folder, record)
    with pytest.raises(SuiteError, match="cannot be done as it was planned") as caught:
        carried_out(cluster, tmp_path, [other], lambda event: None)
    assert caught.value.where


def test_what_no_node_has_is_refused(cluster: Cluster, dataset: Path, tmp_path: Path) -> None:
    runs = planned(dataset, tmp_path, (0,), threads=4000)
    with pytest.raises(SuiteError, match=r"asks for 4e\+03 CPUs.*no node of the cluster has"):
        carried_out(cluster, tmp_path, runs, lambda event: None)
    assert not tmp_path.joinpath("runs").exists()


def test_a_gpu_that_is_not_here_is_planned_for_and_asked_of_the_cluster(
    nodes: Nodes, cluster: Cluster, dataset: Path, tmp_path: Path
) -> None:
    """The node only says that it has one: the run gets there, and says that it has not."""
    faked = nodes.add_node(num_cpus=1, num_gpus=1, node_name="faked")
    nodes.wait_for_nodes()
    assert device_of(cluster.ray, "auto") == "cuda"
    runs = planned(dataset, tmp_path, (0,), device="cuda")
    assert runs[0].planned.environment.device == "cuda"
    with pytest.raises(SuiteError, match="there is no device 'cuda' here") as caught:
        carried_out(cluster, tmp_path, runs, lambda event: None)
    assert str(caught.value.where) == "faked"
    nodes.remove_node(faked, allow_graceful=True)


def test_a_driver_that_is_killed_is_gone_on_with_at_home(
    nodes: Nodes, cluster: Cluster, dataset: Path, tmp_path: Path
) -> None:
    """The command line with --ray dies without grace; without --ray it goes on."""
    asked = [
        *("--dataset", dataset, "--system", "fastre", "--seeds", "2", "--threads", "1"),
        *("--epochs", "400", "--patience", "400", "--tracker", "none", "--out", tmp_path / "out"),
        *("--set", "fastre.width=64", "--set", "fastre.dilations=[1,2]", "--device", "cpu"),
    ]
    line = [sys.executable, "-P", "-c", "from relation_suite import run_suite; run_suite()"]
    on_ray = [*line, *map(str, asked), "--ray-address", nodes.address, "--memory", "0.25"]
    driver = subprocess.Popen(on_ray, env=tiny.environment(PYTHONPATH=str(tiny.ROOT)))
    folders = [tmp_path / "out" / "runs" / "fastre" / dataset.name / str(s) for s in (0, 1)]
    try:
        _until(lambda: all((f / "checkpoint" / "last.pt").exists() for f in folders))
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    for folder in folders:
        with locked(folder, wait=60.0):  # nobody works on it any more
            assert _status(folder) in {None, "interrupted"}
    done = [len(read_history(folder)) for folder in folders]
    longer = [str(max(done) + 2) if a == "400" else str(a) for a in asked]
    ended = subprocess.run(
        [*line, *longer], env=tiny.environment(PYTHONPATH=str(tiny.ROOT)), check=False
    )
    assert ended.returncode == 0
    records = [read_record(folder / "record.json") for folder in folders]
    assert [r.training.epochs for r in records if r.training] == [max(done) + 2] * 2


def _until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.1)


def _status(folder: Path) -> str | None:
    path = folder / "record.json"
    record: RunRecord | None = read_record(path) if path.exists() else None
    return record and record.status
