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

from runners.cluster import is_from_without
from runners.executors.base import (
    Ended,
    Measured,
    Measuring,
    OnEvent,
    PlannedRun,
    Progressed,
    Restarted,
    Started,
)
from runners.executors.company import Company
from runners.executors.desk import HEAR_SECONDS, Desk, News
from runners.executors.errand import Answer, Errand, measure, train
from runners.executors.nodes import (
    Node,
    Waiting,
    needs_of,
    nodes_of,
    refuse_the_impossible,
    waiting_list,
)
from runners.executors.order import longest_first
from runners.executors.parcels import own_paths
from runners.executors.steps import MEASURABLE, Trained, measured_as_seen, unmeasured
from runners.options.groups import RAY_MEMORY
from suite.errors import SuiteError
from suite.files import write_atomically
from suite.records.run import RunRecord

MAX_RETRIES = 5
"""How often a run whose node or process dies is done again, its training and its measuring each."""
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


def cluster_at(ray: Any, address: str | None, memory: float | None = None) -> Cluster:
    """The cluster that Ray is connected to.

    Args:
        ray: connected.
        address: of the cluster; None: one on this machine.
        memory: in GiB, that each run asks its node for; None: the default.
    """
    on_node = address is None or not is_from_without(address)
    return Cluster(ray, on_node, RAY_MEMORY if memory is None else memory)


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


@dataclass(eq=False)
class _Task:
    """A run on its way.

    Attributes:
        key: of its folder within OUT.
        run: what is done.
        before: whether an earlier command had trained it.
        node: where it is under way, or was last.
        record: as its training left it; None while it is trained.
        tries: of its measuring.
    """

    key: str
    run: PlannedRun
    before: bool
    node: str | None = None
    record: RunRecord | None = None
    tries: int = 0

    @property
    def work(self) -> tuple[str, int]:
        """What is under way of it: its training, or a try of its measuring."""
        return self.key, self.tries


@dataclass
class _Campaign:
    """All runs of one call, from the first task to the last record."""

    cluster: Cluster
    out: Path
    desk: Any
    token: tuple[Path, str]
    on_event: OnEvent
    tasks: dict[str, _Task] = field(default_factory=dict)
    under_way: dict[Any, _Task] = field(default_factory=dict)
    waiting: list[_Task] = field(default_factory=list)
    """What was trained and is measured when no training waits for a node any more."""
    news: deque[News] = field(default_factory=deque)
    company: Company = field(default_factory=Company)
    names: dict[str, str] = field(default_factory=dict)
    """Of nodes that did something, which may be gone."""
    next_look: float = 0.0
    said: str = ""

    @property
    def ray(self) -> Any:
        return self.cluster.ray

    def carry_out(self, runs: Sequence[PlannedRun]) -> None:
        """Trains and measures all of them."""
        for run in longest_first(runs):
            key = run.folder.absolute().relative_to(self.out).as_posix()
            self.tasks[key] = task = _Task(key, run, before=run.trained() is not None)
            self._hand_out_training(task)
        try:
            while self.under_way or self.waiting:
                self._hear(HEAR_SECONDS)
                for ended in self._ended_tasks():
                    self._conclude(self.under_way.pop(ended), ended)
                self._hand_out_measuring()
                self._say_what_waits_in_vain()
        except BaseException:
            self._stop()
            raise

    def _ended_tasks(self) -> list[Any]:
        if not self.under_way:
            return []
        tasks = list(self.under_way)
        ended, _ = self.ray.wait(tasks, num_returns=len(tasks), timeout=0)
        if ended:
            self._hear(0.0)  # what was said before the end is heard before it
        return list(ended)

    def _say_what_waits_in_vain(self) -> None:
        """Says, as it changes, what waits for a node that is not there; one may come."""
        if time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + LOOK_SECONDS
        unfinished = (*self.under_way.values(), *self.waiting)
        lines = waiting_list(map(self._waits, unfinished), self._nodes())
        said, self.said = self.said, "\n".join(lines)
        if self.said and self.said != said:
            print(self.said, file=sys.stderr, flush=True)

    def _waits(self, task: _Task) -> Waiting:
        step = "trained" if task.record is None else "measured"
        gone = f" ({self._name(task.node)}, where it was last, is gone)" if task.node else ""
        return Waiting(f"{task.run.title} to be {step}{gone}", self._needs(task))

    def _needs(self, task: _Task) -> dict[str, float]:
        return needs_of(task.run.plan, self.cluster.memory)

    def _nodes(self) -> dict[str, Node]:
        """Those that live, by id."""
        found = nodes_of(self.ray)
        self.names |= {node.id: node.name for node in found.values()}
        return found

    def _name(self, node: str | None) -> str:
        if node not in self.names:
            self._nodes()
        return self.names.get(node or "", f"node {(node or '')[:8]}")

    def _errand(self, task: _Task) -> Errand:
        return Errand(task.run, task.key, own_paths(task.run.plan), self.token, self.desk)

    def _hand_out_training(self, task: _Task) -> None:
        handed = self.ray.remote(train).options(
            **_asked(self._needs(task)),
            name=task.run.title,
            max_retries=MAX_RETRIES,
            retry_exceptions=False,
        )
        self.under_way[handed.remote(self._errand(task))] = task

    def _hand_out_measuring(self) -> None:
        """Hands out what waits for a whole node, once no training is left to take its CPUs."""
        if not self.waiting or any(task.node is None for task in self.under_way.values()):
            return
        nodes = self._nodes()
        waiting, self.waiting = self.waiting, []
        for task in waiting:
            node = self._node_for(task, nodes)
            if node is None:
                self.waiting.append(task)  # a node that could may come
            else:
                self._measure(task, node)

    def _measure(self, task: _Task, node: Node) -> None:
        needs = self._needs(task)
        if "GPU" not in needs:
            needs["CPU"] = node.resources["CPU"]
        handed = self.ray.remote(measure).options(
            **_asked(needs),
            name=f"measure {task.run.title}",
            max_retries=0,
            scheduling_strategy=_on(node.id),
        )
        task.tries += 1
        self.under_way[handed.remote(self._errand(task), task.record)] = task

    def _node_for(self, task: _Task, nodes: Mapping[str, Node]) -> Node | None:
        """The node that trained it; where that is gone, the one that has least to measure."""
        needs = self._needs(task)
        fit = {name: node for name, node in nodes.items() if node.has(needs)}
        if task.node in fit:
            return fit[task.node]
        load = Counter(other.node for other in self.under_way.values())
        found = min(fit.values(), key=lambda node: load[node.id], default=None)
        if found is not None:
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
            elif kind == "measuring":
                self.on_event(Measuring(task.run, more))
            elif kind == "measured":
                self.on_event(Measured(task.run, more))
            elif kind == "left":
                self.company.ends(task.work)
            else:
                print(more, file=sys.stderr, flush=True)

    def _started(self, task: _Task, node: str) -> None:
        before, task.node = task.node, node
        self.company.begins(task.work, node)
        if task.record is not None:
            return
        name = self._name(node)
        event = Started(task.run, name) if before is None else Restarted(task.run, name)
        self.on_event(event)

    def _conclude(self, task: _Task, ended: Any) -> None:
        """What becomes of a run whose task has ended."""
        self.company.ends(task.work)
        try:
            answer: Answer = self.ray.get(ended)
        except self.ray.exceptions.RayTaskError as error:
            raise _of_the_node(error, self._name(task.node)) from error
        except self.ray.exceptions.RayError as error:
            self._lost(task, error)
            return
        if answer.record is None:
            return  # the command is ending
        if task.record is None:
            self._trained(task, answer.record, answer)
        else:
            alone, node = self.company.was_alone(task.work), self._name(answer.node)
            self._ended(task, measured_as_seen(answer.record, alone=alone, node=node))

    def _trained(self, task: _Task, record: RunRecord, answer: Answer) -> None:
        task.node = answer.node
        # One that died after its record was written is found trained by the one that took over.
        trained = Trained(record, now=answer.now or not task.before)
        alone = self.company.was_alone(task.work)
        task.record = trained.as_seen(alone=alone, node=self._name(answer.node))
        if task.record.status not in MEASURABLE:
            self._ended(task, task.record)
            return
        task.record.write(task.run.folder)
        self.waiting.append(task)

    def _ended(self, task: _Task, record: RunRecord) -> None:
        record.write(task.run.folder)
        self.on_event(Ended(task.run, record))

    def _lost(self, task: _Task, error: Exception) -> None:
        """A node or its process died, oftener than Ray tries again, or while it measured."""
        if task.record is not None and task.tries <= MAX_RETRIES:
            self.waiting.append(task)
            return
        kind = type(error).__name__
        failure = f"its node or process died {MAX_RETRIES + 1} times, at last with {kind}"
        if task.record is None:
            failed = {"status": "failed", "failure": failure}
            self._ended(task, task.run.planned.model_copy(update=failed))
        else:
            self._ended(task, unmeasured(task.run, task.record, failure))

    def _stop(self) -> None:
        """Ends what is under way, which leaves its records; what has not begun does not begin."""
        self.desk.stop.remote()
        for key, kind, more in (*self.news, *self.ray.get(self.desk.hear.remote(0.0))):
            if kind == "started":
                self.company.begins(self.tasks[key].work, more)
        living = self._nodes()
        begun = []
        for handed, task in self.under_way.items():
            if self.company.place_of(task.work) in living:
                begun.append(handed)
            else:
                self.ray.cancel(handed)
        if begun:
            self.ray.wait(begun, num_returns=len(begun), timeout=GRACE_SECONDS)


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
