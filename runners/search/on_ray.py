"""The workers of a search as actors on Ray, and the command that answers for them.

The command holds the search's folder, serves its journal, and tells the trials whose actor died.
"""

from __future__ import annotations

import signal
import socket
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

from pydantic import TypeAdapter

from runners.cluster import connected, is_from_without
from runners.executors.nodes import device_of
from runners.search.actor import SearchActor, Start, Workplace
from runners.search.attributes import DRIVER, WORKER, result_of
from runners.search.deaths import MOST_DEATHS, Deaths, driven, judge_here
from runners.search.proxy import Address, served
from runners.search.request import SearchRequest
from runners.search.search import Search, kind_of
from runners.search.worker import line_of, searched_through
from suite.errors import SuiteError

POLL_SECONDS = 1.0
TOGETHER_SECONDS = 30.0
"""How long the first worker waits for the others, before the kind of machine is chosen."""
SILENT_SECONDS = 60.0
"""How long no worker need begin before that is said."""
LOST, LOW, CREATION = "node has died", "low on memory", "creation task"
"""Ray's words for an actor that went with its node, one that was ended to free memory, and one that
could not be made."""
GOES_ON = "What was done is kept: the same command goes on."


@dataclass
class _Hand:
    """An actor of the command.

    Attributes:
        number: of the worker that it is.
        name: of the actor.
        actor: Ray's handle.
        node: Ray's answer to where it is.
        place: where it is, once it has looked about.
        working: whether it does trials.
    """

    number: int
    name: str
    actor: Any
    node: Any
    place: Workplace | None = None
    working: bool = False


def work_on_ray(
    search: Search, address: str | None, threads: int, say: Callable[[str], None]
) -> None:
    """Does the trials of a search by actors.

    Args:
        search: planned, not begun.
        address: of a cluster; None: one on this machine, for this command.
        threads: CPU threads of each worker.
        say: is told a line for every trial that ends, and for every worker that does not work.

    Raises:
        SuiteError: Ray or a node that has room is not there, another command searches in the
            folder, or no worker came to the end of the search.
    """
    command = uuid.uuid4().hex
    search.out.mkdir(parents=True, exist_ok=True)
    with (
        connected(address, search.request.workers * threads) as ray,
        driven(search.out, command),
        _interruptible(),
    ):
        device = device_of(ray, search.request.suite.device)
        gpus = 1 if device == "cuda" else 0
        room = _room(ray, threads, gpus)
        if room < search.request.workers:
            say(f"there is room for {room} of {search.request.workers} workers; others wait for it")
        asked = replace(search.request, suite=replace(search.request.suite, device=device))
        with _storage(ray, address, search) as storage:
            resources = {"num_cpus": threads, "num_gpus": gpus}
            _Crew(ray, search, _starts(asked, command, storage), resources, say).run(command, room)


def _starts(
    request: SearchRequest, command: str, storage: Address | None
) -> Callable[[int, str], Start]:
    asked = TypeAdapter(SearchRequest).dump_json(request)

    def start(number: int, name: str) -> Start:
        return Start(asked, number, name, command, str(Path.cwd()), storage)

    return start


class _Crew:
    """The actors of a command, from the first to the last.

    Args:
        ray: the module, connected.
        search: whose trials are done.
        start: what an actor of a number and name is started with.
        resources: of an actor, as Ray's options name them.
        say: as in `work_on_ray`.
    """

    def __init__(
        self,
        ray: Any,
        search: Search,
        start: Callable[[int, str], Start],
        resources: Mapping[str, float],
        say: Callable[[str], None],
    ) -> None:
        self._ray, self._search, self._start_of, self._say = ray, search, start, say
        self._resources = dict(resources)
        self._hands: dict[Any, _Hand] = {}
        self._looked: list[_Hand] = []
        self._names: Counter[int] = Counter()
        self._dead: dict[str, str] = {}
        self._told: set[tuple[str, int]] = set()
        self._begun = False
        self._finished = self._in_a_row = 0
        self._last: str | None = None

    def run(self, command: str, room: int) -> None:
        """Works until the search has come to its end."""
        self._deaths = Deaths(self._search.out, self._judge(command))
        self._told = set(self._ended())
        workers = self._search.request.workers
        try:
            for number in range(workers):
                self._hire(number)
            self._look_about(min(workers, room))
            while any(h.working for h in self._hands.values()) or not self._finished:
                self._refuse_to_wait_for_nothing()
                self._hear()
                self._tend()
        except BaseException:
            self._dismiss()
            raise
        self._dismiss()
        if any(map(searched_through, self._search.begun().values())):
            self._say("no structure is left that was not tried")

    def _hire(self, number: int) -> None:
        name = f"{self._search.request.name} worker {number}"
        self._names[number] += 1
        if self._names[number] > 1:
            name = f"{name} ({self._names[number]})"
        options = {**self._resources, "name": name, "max_restarts": 0, "max_task_retries": 0}
        actor = (
            self._ray.remote(SearchActor).options(**options).remote(self._start_of(number, name))
        )
        self._hands[actor.look.remote()] = _Hand(number, name, actor, actor.where.remote())

    def _look_about(self, expected: int) -> None:
        """Waits for the first workers and settles on the kind of machine that most are on."""
        began, first = monotonic(), None
        waits = False
        while not self._looked or (
            len(self._looked) < expected
            and self._hands
            and monotonic() - (first or monotonic()) < TOGETHER_SECONDS
        ):
            self._refuse_to_wait_for_nothing()
            self._hear()
            first = first or (monotonic() if self._looked else None)
            if not first and not waits and monotonic() - began > SILENT_SECONDS:
                self._say("no worker has begun yet: nodes are busy, or slow to start one")
                waits = True
        kinds = Counter(kind_of(h.place.environment) for h in self._looked if h.place)
        kind = self._search.noted_kind() or kinds.most_common(1)[0][0]
        own = [h.place.environment for h in self._looked if h.place]
        fits = [environment for environment in own if kind_of(environment) == kind]
        self._search.done_in((fits or own)[0])
        self._kind = kind
        self._search.begin()
        self._begun = True
        for hand in self._looked:
            self._admit(hand)

    def _hear(self) -> None:
        """What actors answer."""
        ready, _ = self._ray.wait(
            list(self._hands), num_returns=len(self._hands), timeout=POLL_SECONDS
        )
        for answer in ready:
            hand = self._hands.pop(answer)
            try:
                found = self._ray.get(answer)
                node, at = self._ray.get(hand.node)
            except Exception as error:  # ray's, or what a worker met that it should not
                self._died(hand, error)
                continue
            if isinstance(found, SuiteError):
                self._release(hand, str(found))
            elif hand.working:
                self._finished += 1
                self._ray.kill(hand.actor)
            else:
                hand.place = Workplace(node, at, found)
                if self._begun:
                    self._admit(hand)
                else:
                    self._looked.append(hand)

    def _admit(self, hand: _Hand) -> None:
        """Has it work, unless what it measures could not be compared."""
        assert hand.place is not None
        found = kind_of(hand.place.environment)
        if found != self._kind:
            self._release(
                hand,
                f"its machine is of another kind ({', '.join(found)}) than that of the search "
                f"({', '.join(self._kind)}), and latencies of two kinds are not compared",
            )
            return
        hand.working = True
        self._hands[hand.actor.work.remote()] = hand

    def _release(self, hand: _Hand, why: str) -> None:
        """Ends a worker that cannot work; another one in its place could not either."""
        self._last = f"{hand.name} on {self._place(hand)} does not work: {why}"
        self._say(self._last)
        self._dead[hand.name] = why
        self._ray.kill(hand.actor)

    def _died(self, hand: _Hand, error: Exception) -> None:
        """Has another worker take the place of one that died."""
        why = self._why(hand, error)
        # What stands in records names no host.
        self._dead[hand.name] = f"{why} (node {hand.place.node[:8]})" if hand.place else why
        self._last = f"{hand.name} on {self._place(hand)} died: {why}"
        self._in_a_row += 1
        with suppress(Exception):  # it may only have been out of reach
            self._ray.kill(hand.actor)
        if self._in_a_row > MOST_DEATHS * self._search.request.workers:
            raise SuiteError(
                f"workers die one after another, and no trial ends; the last: {self._last}",
                remedy=GOES_ON,
            )
        self._say(f"{self._last}; its trial goes back into the queue, and another takes its place")
        self._hire(hand.number)

    def _why(self, hand: _Hand, error: Exception) -> str:
        said = str(error).strip()
        node = hand.place and hand.place.node
        gone = any(n["NodeID"] == node and not n["Alive"] for n in self._ray.nodes())
        if gone or LOST in said:
            return "its node was lost"
        if LOW in said:
            return "its process was ended, for its node was low on memory"
        raised = not isinstance(error, self._ray.exceptions.ActorDiedError) or CREATION in said
        return said.splitlines()[-1] if raised and said else "its process ended"

    def _place(self, hand: _Hand) -> str:
        if hand.place is not None:
            return str(hand.place)
        try:
            node, address = self._ray.get(hand.node, timeout=0)
        except Exception:
            return "a node that is not known"
        return f"node {node[:8]} ({address})"

    def _refuse_to_wait_for_nothing(self) -> None:
        """Ends the search where nobody can ever do what is left.

        Raises:
            SuiteError: all workers are released, or no node is left that could hold one.
        """
        if not self._hands and not (self._looked and not self._begun):
            raise SuiteError(
                f"no worker is left: {self._last}",
                remedy=GOES_ON,
            )
        waiting = not any(h.working for h in self._hands.values())
        cpus, gpus = (self._resources[name] for name in ("num_cpus", "num_gpus"))
        if waiting and not _room(self._ray, cpus, gpus, refuse=False):
            raise SuiteError(
                f"no node is left that has room for a worker{self._and_last()}", remedy=GOES_ON
            )

    def _and_last(self) -> str:
        return f"; the last: {self._last}" if self._last else ""

    def _tend(self) -> None:
        """Puts the trials of the dead back, and tells those that ended."""
        for study in self._search.begun().values():
            self._deaths.put_back(study)
        for trial, line in self._ended().items():
            if trial not in self._told:
                self._told.add(trial)
                self._in_a_row = 0
                self._say(line)

    def _ended(self) -> dict[tuple[str, int], str]:
        found: dict[tuple[str, int], str] = {}
        for phase, study in self._search.begun().items():
            for trial in study.get_trials(deepcopy=False):
                result = result_of(trial)
                if result is not None and result.phase == phase:
                    by = trial.user_attrs.get(WORKER, {}).get("name", "")
                    found[phase, trial.number] = f"{line_of(result)}{f' ({by})' if by else ''}"
        return found

    def _judge(self, command: str) -> Callable[[Mapping[str, Any]], str | None]:
        here = judge_here(self._search.out, journal=False)
        journal = self._search.request.storage is None

        def judge(worker: Mapping[str, Any]) -> str | None:
            if worker.get(DRIVER) == command:
                return self._dead.get(worker["name"])
            if DRIVER in worker:  # the folder, and its journal, are this command's
                return "its command ended" if journal else None
            return here(worker)

        return judge

    def _dismiss(self) -> None:
        """Ends all actors; what they were at goes back into the queue, blamed for nothing."""
        for hand in [*self._hands.values(), *self._looked]:
            with suppress(Exception):
                self._ray.kill(hand.actor)
            self._dead.setdefault(hand.name, "it was stopped")
        with suppress(Exception):  # else the next command finds that this one has ended
            for study in self._search.begun().values():
                self._deaths.put_back(study, blame=False)


def _room(ray: Any, threads: float, gpus: float, *, refuse: bool = True) -> int:
    """How many workers the nodes can hold, as far as nobody else uses them.

    Raises:
        SuiteError: none, and that is refused.
    """
    there = [node["Resources"] for node in ray.nodes() if node["Alive"]]

    def held(node: Mapping[str, float]) -> int:
        by_cpu = int(node.get("CPU", 0) // threads)
        return min(by_cpu, int(node.get("GPU", 0) // gpus)) if gpus else by_cpu

    room = sum(map(held, there))
    if room or not refuse:
        return room
    most = max((node.get("CPU", 0) for node in there), default=0)
    gpu = f" and a GPU: {sum(n.get('GPU', 0) > 0 for n in there)} have one," if gpus else ","
    raise SuiteError(
        f"no node has what a worker needs, {threads:g} CPUs{gpu} and the largest has {most:g} CPUs",
        remedy="Ask for fewer --threads, which the workers share, or add nodes.",
    )


@contextmanager
def _storage(ray: Any, address: str | None, search: Search) -> Iterator[Address | None]:
    if search.request.storage is not None:
        yield None
        return
    with served(search.out, _own_address(ray, address)) as found:
        yield found


def _own_address(ray: Any, address: str | None) -> str:
    """The address at which nodes reach this machine."""
    if address is not None and is_from_without(address):
        host, _, port = address.removeprefix("ray://").rpartition(":")
        with socket.create_connection((host, int(port))) as connection:
            return str(connection.getsockname()[0])
    return str(ray.util.get_node_ip_address())


@contextmanager
def _interruptible() -> Iterator[None]:
    """Has SIGTERM end the command as Ctrl-C does; Ray would have it end at once."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
