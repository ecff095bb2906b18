"""What a command on Ray makes of what nodes say: who was alone, and what waits for which node."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runners.executors import ray_cluster
from runners.executors.base import Ended, Event, PlannedRun, Progressed, Restarted, Started
from runners.executors.company import Company
from runners.executors.desk import Desk, News
from runners.executors.errand import Answer, measure, train
from runners.executors.local import LocalExecutor
from runners.executors.nodes import GIB
from runners.executors.ray_cluster import Cluster, _Campaign
from suite.records.run import InferenceCost, RunRecord, read_record
from tests import tiny
from tests.reports.folder import record as made_record

LOST = RuntimeError("its node is gone")


@dataclass
class Handed:
    """A task that was handed to Ray; with the record of what was trained, where it measures."""

    run: PlannedRun
    needs: dict[str, Any]
    trained: RunRecord | None = None
    answer: Answer | Exception | None = None


@dataclass
class Nodes:
    """Ray and its desk as far as a campaign asks them; what nodes do is told by a test.

    Args:
        resources: of each node by its name.
        acts: called one after the other, whenever the command listens.
    """

    resources: dict[str, dict[str, float]]
    acts: list[Callable[[Nodes], None]] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    cancelled: list[Handed] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    exceptions = SimpleNamespace(RayTaskError=KeyError, RayError=RuntimeError)

    def __post_init__(self) -> None:
        self.hear = SimpleNamespace(remote=self._hear)
        self.stop = SimpleNamespace(remote=lambda: None)

    def _hear(self, seconds: float) -> list[News]:
        if seconds:
            assert self.acts, "the command waits for ever"
            self.acts.pop(0)(self)
        news, self.news = self.news, []
        return news

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {"NodeID": f"id of {name}", "NodeName": name, "Alive": True, "Resources": has}
            for name, has in self.resources.items()
        ]

    def remote(self, act: Any) -> Any:
        def options(**asked: Any) -> Any:
            def hand(errand: Any, *trained: RunRecord) -> int:
                assert act is (measure if trained else train)
                self.handed.append(Handed(errand.run, asked, *trained))
                return len(self.handed) - 1

            return SimpleNamespace(remote=hand)

        return SimpleNamespace(options=options)

    def wait(self, tasks: Sequence[int], **_: Any) -> tuple[list[int], list[int]]:
        assert tasks, "Ray refuses to wait for nothing"
        return [t for t in tasks if self.handed[t].answer is not None], []

    def get(self, found: Any) -> Any:
        if not isinstance(found, int):
            return found
        answer = self.handed[found].answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self, task: int) -> None:
        self.cancelled.append(self.handed[task])

    def _last(self, seed: int) -> Handed:
        return [one for one in self.handed if one.run.plan.seed == seed][-1]

    def start(self, seed: int, node: str) -> None:
        self.news.append((f"runs/{seed}", "started", f"id of {node}"))

    def end(
        self, seed: int, node: str, *, now: bool = True, record: RunRecord | None = None
    ) -> None:
        """The step of the run that is under way, which leaves what such a step leaves."""
        task = self._last(seed)
        left = record or left_by(task)
        self.news.append((f"runs/{seed}", "left", None))
        task.answer = Answer(left, f"id of {node}", now)

    def lose(self, seed: int) -> None:
        self._last(seed).answer = LOST


def left_by(task: Handed) -> RunRecord:
    if task.trained is None:
        record = made_record("fastre", "webnlg-star", task.run.plan.seed)
        return record.model_copy(update={"inference": ()})
    costs = tuple(InferenceCost(batch_size=size) for size in task.run.plan.batch_sizes)
    return task.trained.model_copy(update={"inference": costs})


@pytest.fixture
def runs(dataset: Path, tmp_path: Path) -> list[PlannedRun]:
    plans = [tiny.make_plan(dataset, seed=seed, device="cuda", threads=1) for seed in (0, 1)]
    record = made_record("fastre", "webnlg-star", 0)
    return [PlannedRun(p, tmp_path / "runs" / str(p.seed), record) for p in plans]


GPUS = {"CPU": 4.0, "GPU": 2.0, "memory": 8 * GIB}
CPUS = {"CPU": 4.0, "memory": 8 * GIB}


def carried_out(
    nodes: Nodes, runs: Sequence[PlannedRun], out: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Event]:
    monkeypatch.setattr(ray_cluster, "_on", lambda node: node)
    monkeypatch.setattr(ray_cluster, "LOOK_SECONDS", 0.0)
    heard: list[Event] = []
    campaign = _Campaign(Cluster(nodes, True, 1.0), out, nodes, (out, ""), heard.append)
    campaign.carry_out(runs)
    assert not nodes.acts, "the command ended before"
    return heard


def company_of(run: PlannedRun) -> tuple[bool | None, set[bool | None], set[str | None]]:
    record = read_record(run.folder / "record.json")
    assert record.training is not None
    costs = record.inference
    return record.training.alone, {c.alone for c in costs}, {c.node for c in costs}


def test_what_is_measured_beside_a_training_is_not_said_to_be_alone(
    runs: list[PlannedRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two GPUs are of one node: one run is measured while the other is trained."""
    acts = [
        lambda n: (n.start(0, "a"), n.start(1, "a")),
        lambda n: n.end(0, "a"),
        lambda n: n.start(0, "a"),
        lambda n: n.end(0, "a"),
        lambda n: n.end(1, "a"),
        lambda n: n.start(1, "a"),
        lambda n: n.end(1, "a"),
    ]
    nodes = Nodes({"a": GPUS}, acts)
    heard = carried_out(nodes, runs, tmp_path, monkeypatch)
    assert [company_of(run) for run in runs] == [
        (False, {False}, {"a"}),
        (False, {True}, {"a"}),
    ]
    assert [type(event) for event in heard] == [Started, Started, Ended, Ended]
    assert [one.needs["num_gpus"] for one in nodes.handed] == [1.0] * 4


def test_runs_of_two_nodes_are_alone(
    runs: list[PlannedRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts = [
        lambda n: (n.start(0, "a"), n.start(1, "b")),
        lambda n: (n.end(0, "a"), n.end(1, "b")),
        lambda n: (n.start(0, "a"), n.start(1, "b")),
        lambda n: (n.end(0, "a"), n.end(1, "b")),
    ]
    carried_out(Nodes({"a": GPUS, "b": GPUS}, acts), runs, tmp_path, monkeypatch)
    assert [company_of(run) for run in runs] == [(True, {True}, {"a"}), (True, {True}, {"b"})]


def test_a_measurement_whose_node_is_gone_waits_and_is_listed(
    runs: list[PlannedRun],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The only one with a GPU: a training waits for Ray, and a measurement for the command."""
    said: list[str] = []

    def listen(_: Nodes) -> None:
        said.append(capsys.readouterr().err)

    acts = [
        lambda n: (n.start(0, "a"), n.start(1, "a")),
        lambda n: (n.end(0, "a"), n.resources.pop("a")),
        listen,
        listen,
        lambda n: n.resources.update(c=GPUS),
        lambda n: (n.start(1, "c"), n.start(0, "c")),
        lambda n: (n.end(0, "c"), n.end(1, "c", now=False)),
        lambda n: n.start(1, "c"),
        lambda n: n.end(1, "c"),
    ]
    heard = carried_out(Nodes({"a": GPUS, "b": CPUS}, acts), runs, tmp_path, monkeypatch)
    one, two = (f"{run.title} to be" for run in runs)
    gone = "(a, where it was last, is gone)"
    assert said == [
        "no node has 1 CPUs, 1 GiB of memory, 1 GPUs; for such a one wait: "
        f"{two} trained {gone}; {one} measured {gone}\n",
        "",
    ], "it is said once"
    assert [type(event) for event in heard].count(Restarted) == 1
    records = [read_record(run.folder / "record.json") for run in runs]
    assert [record.node for record in records] == ["a", "c"], "the names of those that trained"
    assert [company_of(run)[1:] for run in runs] == [({False}, {"c"}), ({True}, {"c"})]


def test_what_an_earlier_command_trained_keeps_what_that_one_saw(
    runs: list[PlannedRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs[0]
    run.planned.write(run.folder)  # trained, by a command that did not come to note its company
    acts = [
        lambda n: n.start(0, "a"),
        lambda n: n.end(0, "a", now=False),
        lambda n: n.start(0, "a"),
        lambda n: n.end(0, "a"),
    ]
    carried_out(Nodes({"a": GPUS}, acts), [run], tmp_path, monkeypatch)
    assert company_of(run) == (None, {True}, {"a"})
    assert read_record(run.folder / "record.json").node is None


@pytest.mark.parametrize("status", ["complete", "pruned"])
def test_what_no_node_outlives_is_told_of_each_measurement(
    runs: list[PlannedRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: Any
) -> None:
    trained = left_by(Handed(runs[0], {})).model_copy(update={"status": status})
    acts = [
        lambda n: n.start(0, "a"),
        lambda n: n.end(0, "a", record=trained),
        *[lambda n: n.lose(0)] * (ray_cluster.MAX_RETRIES + 1),
    ]
    run = replace(runs[0], plan=runs[0].plan.model_copy(update={"batch_sizes": (1, 8)}))
    carried_out(Nodes({"a": GPUS}, acts), [run], tmp_path, monkeypatch)
    record = read_record(run.folder / "record.json")
    failure = "its node or process died 6 times, at last with RuntimeError"
    assert [(c.batch_size, c.failure) for c in record.inference] == [(1, failure), (8, failure)]
    assert record.status == status


def test_what_has_not_begun_does_not_begin_where_the_command_ends(
    runs: list[PlannedRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training that Ray would do again, for its node has died, has not."""

    def interrupt(nodes: Nodes) -> None:
        nodes.resources.pop("a")
        raise KeyboardInterrupt

    nodes = Nodes({"a": GPUS, "b": GPUS}, [lambda n: (n.start(0, "a"), n.start(1, "b")), interrupt])
    with pytest.raises(KeyboardInterrupt):
        carried_out(nodes, runs, tmp_path, monkeypatch)
    assert [one.run.plan.seed for one in nodes.cancelled] == [0]


class Together:
    """Processes of two runs, the first of which ends while the second is trained."""

    def __init__(self) -> None:
        self.second_has_begun = threading.Event()

    def call(
        self,
        work: Any,
        folder: Path,
        *_: object,
        lock: int,
        encoder: bool = False,
        on_progress: Any = None,
    ) -> int:
        if on_progress is None:
            return 1  # a measurement, which leaves nothing
        if folder.name == "1":
            self.second_has_begun.set()
            for _ in range(1000):
                path = folder.with_name("0") / "record.json"
                if path.exists() and company_of_training(path.parent) is not None:
                    break
                time.sleep(0.01)
            on_progress({"epoch": 1.0})
        else:
            assert self.second_has_begun.wait(10.0)
        made_record("fastre", "webnlg-star", int(folder.name)).write(folder)
        return 0

    def stop(self) -> None:
        """Both end by themselves."""


def company_of_training(folder: Path) -> bool | None:
    training = read_record(folder / "record.json").training
    return training and training.alone


def test_what_ran_beside_is_noted_before_the_command_can_end(
    runs: list[PlannedRun],
) -> None:
    """The next command did not see it, and trains and measures alone."""

    def end(event: Event) -> None:
        if isinstance(event, Progressed):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalExecutor(2, Together()).run_all(runs, end)
    assert company_of_training(runs[0].folder) is False
    LocalExecutor(1, Together()).run_all(runs[:1], lambda event: None)
    assert company_of_training(runs[0].folder) is False
    record = read_record(runs[0].folder / "record.json")
    assert [cost.alone for cost in record.inference] == [True]


def test_company() -> None:
    company = Company()
    company.begins("one", "a")
    company.begins("other", "b")
    assert company.was_alone("one")
    company.begins("one", "b")  # its node has died
    assert not company.was_alone("one")
    assert not company.was_alone("other")
    company.ends("one")
    company.ends("other")
    company.begins("third", "b")
    assert company.was_alone("third")
    assert company.place_of("one") is None


def test_a_desk_keeps_all_news_and_nobody_waiting(tmp_path: Path) -> None:
    async def work() -> None:
        desk = Desk(str(tmp_path))
        assert await desk.hear(0.01) == []
        await desk.tell(("one", "left", None))
        await desk.tell(("two", "left", None))
        assert [key for key, *_ in await desk.hear(60.0)] == ["one", "two"]
        assert await desk.hear(0.0) == []
        assert not await desk.stopped(0.01), "a desk answers a thousand calls at a time"
        await desk.stop()
        assert await desk.stopped(60.0)

    asyncio.run(work())
