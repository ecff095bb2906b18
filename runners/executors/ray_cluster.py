"""Runs on the nodes of a Ray cluster: each a task that asks for its threads, device and memory.

Trainings are handed to Ray at once, the longest first, and share nodes as their threads allow. What
is timed asks for all CPUs of a node, or for a whole GPU, and waits until no training is left that
could be handed to that node. A task whose node or process dies is done again elsewhere, by Ray if
it trains and by this module if it measures, and goes on from the last checkpoint.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runners.executors.base import (
    Ended,
    Measured,
    OnEvent,
    PlannedRun,
    Progressed,
    Restarted,
    Started,
)
from runners.executors.desk import HEAR_SECONDS, Desk, News
from runners.executors.errand import Answer, Errand, measure, train
from runners.executors.nodes import Node, needs_of, nodes_of, refuse_the_impossible
from runners.executors.order import longest_first
from runners.executors.parcels import own_paths
from runners.executors.steps import MEASURABLE
from suite.errors import SuiteError
from suite.files import write_atomically
from suite.records.run import InferenceCost, OperatingCurve, RunRecord

MAX_RETRIES = 5
"""How often a run whose node or process dies is done again, its training and its measuring each."""
MEMORY = 2.0
"""GiB that a run asks its node for."""
GRACE_SECONDS = 45.0
"""How long runs may take to leave their records when the command ends."""
LOOK_SECONDS = 60.0
"""From one look for runs that wait in vain to the next."""
TOKEN = ".seen-by-nodes"


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs are carried out on.

    Attributes:
        ray: connected (`runners.cluster.connected`).
        on_node: whether this process is on one of its nodes, and not a client from without.
        memory: in GiB, that each run asks its node for.
    """

    ray: Any
    on_node: bool
    memory: float


def cluster_at(ray: Any, address: str | None, memory: float = MEMORY) -> Cluster:
    """The cluster that Ray is connected to by an address; None: one on this machine."""
    return Cluster(ray, address is None or not address.startswith("ray://"), memory)


class RayExecutor:
    """Carries runs out on a cluster.

    Args:
        cluster: where.
        out: the command's folder, in which the folders of its runs lie.
    """

    def __init__(self, cluster: Cluster, out: Path) -> None:
        self.cluster, self.out = cluster, out.absolute()

    def run_all(self, runs: Sequence[PlannedRun], on_event: OnEvent) -> None:
        """As `Executor` has it.

        Raises:
            SuiteError: besides, no node has what a run asks for, or lacks the versions or data.
        """
        if not runs:
            return
        nodes = nodes_of(self.cluster.ray)
        for run in runs:
            refuse_the_impossible(nodes.values(), needs_of(run.plan, self.cluster.memory))
        with self._desk() as desk, self._token() as token:
            self._refuse_an_unseen_folder(desk, token)
            _Campaign(self.cluster, self.out, desk, token, on_event).carry_out(runs)

    @contextmanager
    def _desk(self) -> Iterator[Any]:
        ray = self.cluster.ray
        options: dict[str, Any] = {"num_cpus": 0, "name": f"desk {secrets.token_hex(4)}"}
        if self.cluster.on_node:
            here = ray.get_runtime_context().get_node_id()
            options["scheduling_strategy"] = _on(here)
        desk = ray.remote(Desk).options(**options).remote(str(self.out))
        try:
            yield desk
        finally:
            ray.kill(desk)

    def _refuse_an_unseen_folder(self, desk: Any, token: tuple[Path, str]) -> None:
        """Of a command from without, the desk is on some node, and would keep folders there."""
        if self.cluster.on_node or self.cluster.ray.get(desk.sees.remote(*token)):
            return
        raise SuiteError(
            "is not seen by the cluster, and this command is on none of its nodes",
            where=self.out,
            remedy="Name an --out that all see, or give the command to a node, as by "
            "`ray job submit`.",
        )

    @contextmanager
    def _token(self) -> Iterator[tuple[Path, str]]:
        path, content = self.out / TOKEN, secrets.token_hex(8)
        write_atomically(path, content)
        try:
            yield path, content
        finally:
            path.unlink(missing_ok=True)


@dataclass
class _Task:
    """A run on its way.

    Attributes:
        run: what is done.
        node: where it is under way, or was last.
        there: whether it is under way.
        record: as its training left it; None while it is trained.
        tries: of its measuring.
        accompanied: whether another run trained on its node meanwhile.
    """

    run: PlannedRun
    node: str | None = None
    there: bool = False
    record: RunRecord | None = None
    tries: int = 0
    accompanied: bool = False


@dataclass
class _Campaign:
    """All runs of one call, from the first task to the last record."""

    cluster: Cluster
    out: Path
    desk: Any
    token: tuple[Path, str]
    on_event: OnEvent
    tasks: dict[str, _Task] = field(default_factory=dict)
    under_way: dict[Any, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    """Keys of what was trained and is measured when no training waits for a node any more."""
    news: deque[News] = field(default_factory=deque)
    next_look: float = 0.0

    @property
    def ray(self) -> Any:
        return self.cluster.ray

    def carry_out(self, runs: Sequence[PlannedRun]) -> None:
        """Trains and measures all of them."""
        for run in longest_first(runs):
            key = run.folder.absolute().relative_to(self.out).as_posix()
            self.tasks[key] = _Task(run)
            self._hand_out_training(key)
        try:
            while self.under_way:
                self._hear(HEAR_SECONDS)
                ended, _ = self.ray.wait(
                    list(self.under_way), num_returns=len(self.under_way), timeout=0
                )
                if ended:
                    self._hear(0.0)  # what was said before the end is heard before it
                for task in ended:
                    self._conclude(self.under_way.pop(task), task)
                self._hand_out_measuring()
                self._say_what_waits_in_vain()
        except BaseException:
            self._stop()
            raise

    def _say_what_waits_in_vain(self) -> None:
        """Says, now and then, that no node is left that could do what waits; one may come."""
        if time.monotonic() < self.next_look or any(t.there for t in self.tasks.values()):
            return
        self.next_look = time.monotonic() + LOOK_SECONDS
        nodes = nodes_of(self.ray).values()
        for key in self.under_way.values():
            try:
                needs = needs_of(self.tasks[key].run.plan, self.cluster.memory)
                refuse_the_impossible(nodes, needs)
            except SuiteError as error:
                print(f"waiting: {error}", file=sys.stderr, flush=True)
                return

    def _errand(self, key: str) -> Errand:
        run = self.tasks[key].run
        return Errand(run, key, own_paths(run.plan), self.token, self.desk)

    def _hand_out_training(self, key: str) -> None:
        run = self.tasks[key].run
        needs = needs_of(run.plan, self.cluster.memory)
        task = self.ray.remote(train).options(
            **_asked(needs), name=run.title, max_retries=MAX_RETRIES, retry_exceptions=False
        )
        self.under_way[task.remote(self._errand(key))] = key

    def _hand_out_measuring(self) -> None:
        """Hands out what waits for a whole node, once no training is left to take its CPUs."""
        if any(self.tasks[key].node is None for key in self.under_way.values()):
            return
        for key in self.waiting:
            self._measure(key)
        self.waiting.clear()

    def _measure(self, key: str) -> None:
        task = self.tasks[key]
        assert task.record is not None
        needs = needs_of(task.run.plan, self.cluster.memory)
        node = self._node_for(task, needs)
        if "GPU" not in needs:
            needs["CPU"] = node.resources["CPU"]
        handed = self.ray.remote(measure).options(
            **_asked(needs),
            name=f"measure {task.run.title}",
            max_retries=0,
            scheduling_strategy=_on(node.id),
        )
        task.tries += 1
        self.under_way[handed.remote(self._errand(key), task.record, alone=True)] = key

    def _node_for(self, task: _Task, needs: Mapping[str, float]) -> Node:
        """The node that trained it; where that is gone, the one that has least to measure."""
        fit = {i: n for i, n in nodes_of(self.ray).items() if n.has(needs)}
        refuse_the_impossible(fit.values(), needs)
        if task.node in fit:
            return fit[task.node]
        load = Counter(self.tasks[key].node for key in self.under_way.values())
        found = min(fit.values(), key=lambda node: load[node.id])
        task.node = found.id
        return found

    def _hear(self, seconds: float) -> None:
        self.news.extend(self.ray.get(self.desk.hear.remote(seconds)))
        while self.news:
            key, kind, more = self.news.popleft()
            task = self.tasks[key]
            if kind == "started":
                self._started(task, more)
            elif kind == "progressed":
                self.on_event(Progressed(task.run, more))
            elif kind == "measured":
                self.on_event(Measured(task.run, more))
            elif kind == "left":
                task.there = False
            else:
                print(more, file=sys.stderr, flush=True)

    def _started(self, task: _Task, node: str) -> None:
        before, task.node, task.there = task.node, node, True
        if task.record is not None:
            return
        beside = [t for t in self.tasks.values() if t is not task and t.there and t.node == node]
        for one in (task, *beside):
            one.accompanied = one.accompanied or bool(beside)
        name = self._name(node)
        event = Started(task.run, name) if before is None else Restarted(task.run, name)
        self.on_event(event)

    def _name(self, node: str | None) -> str:
        found = nodes_of(self.ray).get(node or "")
        return found.name if found else f"node {(node or '')[:8]}"

    def _conclude(self, key: str, ended: Any) -> None:
        """What becomes of a run whose task has ended."""
        task = self.tasks[key]
        try:
            answer: Answer = self.ray.get(ended)
        except self.ray.exceptions.RayTaskError as error:
            raise _of_the_node(error, self._name(task.node)) from error
        except self.ray.exceptions.RayError as error:
            self._lost(key, error)
            return
        if answer.record is None:
            return  # the command is ending
        if task.record is None:
            self._trained(key, answer)
        else:
            self._ended(task, self._at(answer))

    def _trained(self, key: str, answer: Answer) -> None:
        task = self.tasks[key]
        record = answer.record
        assert record is not None
        task.node = answer.node
        if record.training is not None and record.training.alone is None:
            training = record.training.model_copy(update={"alone": not task.accompanied})
            node = self._name(answer.node)
            record = record.model_copy(update={"training": training, "node": node})
        record.write(task.run.folder)
        task.record = record
        if record.status in MEASURABLE:
            self.waiting.append(key)
        else:
            self._ended(task, record)

    def _at(self, answer: Answer) -> RunRecord:
        """A measured record with the node that measured it."""
        record, node = answer.record, self._name(answer.node)
        assert record is not None
        costs = tuple(cost.model_copy(update={"node": node}) for cost in record.inference)
        curve = record.operating and record.operating.model_copy(update={"node": node})
        return record.model_copy(update={"inference": costs, "operating": curve})

    def _ended(self, task: _Task, record: RunRecord) -> None:
        record.write(task.run.folder)
        self.on_event(Ended(task.run, record))

    def _lost(self, key: str, error: Exception) -> None:
        """A node or its process died, oftener than Ray tries again, or while it measured."""
        task = self.tasks[key]
        if task.record is not None and task.tries <= MAX_RETRIES:
            self.waiting.append(key)
            return
        kind = type(error).__name__
        failure = f"its node or process died {MAX_RETRIES + 1} times, at last with {kind}"
        if task.record is None:
            failed = {"status": "failed", "failure": failure}
            self._ended(task, task.run.planned.model_copy(update=failed))
            return
        costs = tuple(
            InferenceCost(batch_size=size, failure=failure) for size in task.run.plan.batch_sizes
        )
        curve = OperatingCurve(failure=failure) if task.run.operates else None
        measured = {"inference": costs, "operating": curve}
        self._ended(task, task.record.model_copy(update=measured))

    def _stop(self) -> None:
        """Ends what is under way, which leaves its records; what has not begun does not begin."""
        self.desk.stop.remote()
        for key, kind, more in (*self.news, *self.ray.get(self.desk.hear.remote(0.0))):
            if kind == "started":
                self.tasks[key].node = more
        for task, key in self.under_way.items():
            if self.tasks[key].node is None:
                self.ray.cancel(task)
        deadline = time.monotonic() + GRACE_SECONDS
        begun = [task for task, key in self.under_way.items() if self.tasks[key].node is not None]
        if begun:
            self.ray.wait(begun, num_returns=len(begun), timeout=deadline - time.monotonic())


def _on(node: str) -> Any:
    """On that node, or not at all."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

    return NodeAffinitySchedulingStrategy(node, soft=False)


def _asked(needs: Mapping[str, float]) -> dict[str, float]:
    """Needs as Ray's options of a task."""
    names = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}
    return {names[name]: much for name, much in needs.items()}


def _of_the_node(error: Any, node: str) -> SuiteError:
    """What a task raised, as of its node."""
    cause = error.cause
    if isinstance(cause, SuiteError):
        where = f"{node}: {cause.where}" if cause.where else node
        return SuiteError(cause.cause, where=where, remedy=cause.remedy)
    said = (str(cause).strip() or "no reason given").splitlines()[0]
    return SuiteError(f"failed at a run ({type(cause).__name__}: {said})", where=node)
