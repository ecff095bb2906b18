"""What a node of a cluster does with a run: trains it, or measures it, by the steps of any run."""

from __future__ import annotations

import io
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runners.cluster import leave_its_main_module
from runners.executors import steps
from runners.executors.base import Event, Measured, Measuring, PlannedRun, Progressed
from runners.executors.desk import Kind
from runners.executors.parcels import Files, Parcel, at_hand, packed, reads, unpack
from runners.executors.processes import Processes, StoppedError
from runners.executors.server import served
from runners.runs.plan import RunPlan
from runners.sparing import Sparing
from suite.datasets.catalogue.fetch import cache_folder
from suite.errors import SuiteError
from suite.files import write_atomically
from suite.records.run import RunRecord

_FOUND: dict[str, RunPlan] = {}
"""Plans without their seed -> with their resources where this machine has them."""


@dataclass(frozen=True)
class Errand:
    """A run, as it is handed to a node.

    Attributes:
        run: as planned; its folder is that of the command's machine.
        key: of its folder within OUT.
        paths: of its resources on the command's machine.
        token: a file of OUT and its content, by which a node sees whether it sees OUT.
        desk: where it reports to.
    """

    run: PlannedRun
    key: str
    paths: dict[str, Path]
    token: tuple[Path, str]
    desk: Any


@dataclass(frozen=True)
class Answer:
    """What a node gives back.

    Attributes:
        record: as the step left it; None where the command ended before.
        node: id of the node.
        now: whether it was trained there just now; see `steps.Trained`.
    """

    record: RunRecord | None
    node: str
    now: bool = False


def train(errand: Errand) -> Answer:
    """Trains and tests on this node.

    Raises:
        SuiteError: the plan cannot be followed here.
    """
    place = _Place(errand)
    with suppress(StoppedError), place.ready():
        trained = steps.train(place.run, place.processes, place.on_event)
        if trained.record.configuration != errand.run.planned.configuration:
            raise SuiteError(
                f"{errand.run.title} was not done as it was planned, for its data or versions "
                "have changed there meanwhile",
                remedy="Leave them as they are while runs are under way.",
            )
        return Answer(trained.record, place.node, trained.now)
    return Answer(None, place.node)


def measure(errand: Errand, record: RunRecord) -> Answer:
    """Measures on this node what was trained on it, or on another one."""
    place = _Place(errand)
    with suppress(StoppedError), place.ready():
        record = steps.measure(place.run, record, place.processes, place.on_event)
        return Answer(record, place.node)
    return Answer(None, place.node)


class _Place:
    """Where a node does an errand: OUT itself, or a folder of its own that the desk keeps."""

    def __init__(self, errand: Errand) -> None:
        import ray  # noqa: PLC0415 - on a node of it

        leave_its_main_module()
        self.errand, self.run = errand, errand.run
        self.node: str = ray.get_runtime_context().get_node_id()
        self.processes: Processes = served()
        self._get, self._desk = ray.get, errand.desk
        self._done = threading.Event()
        self._sparing = Sparing()

    @contextmanager
    def ready(self) -> Iterator[None]:
        """The run's folder and resources, for as long as the block lasts."""
        self._tell("started", self.node)
        with ExitStack() as stack:
            stack.enter_context(redirect_stderr(_Told(self)))
            threading.Thread(target=self._end_with_the_command, daemon=True).start()
            stack.callback(self._done.set)
            if not reads(*self.errand.token):
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="run-")))
                stack.enter_context(self._kept(folder))
                self.run = replace(self.run, folder=folder)
            try:
                self._find_resources()
                yield
            finally:
                # As the command's machine reads it, wherever its resources lie here.
                if (self.run.folder / "run.json").exists():
                    plan = self.errand.run.plan.model_dump_json(indent=1)
                    write_atomically(self.run.folder / "run.json", plan)
                self._get(self._tell("left", None))  # before another run has the node

    def _find_resources(self) -> None:
        """Looks for them once for all seeds that this process does."""
        plan = self.run.plan
        key = plan.model_copy(update={"seed": 0}).model_dump_json()
        if key not in _FOUND:
            cache = cache_folder().with_name("parcels")
            _FOUND[key] = at_hand(self.run, self.errand.paths, self._give, cache).plan
        self.run = replace(self.run, plan=_FOUND[key].model_copy(update={"seed": plan.seed}))

    def on_event(self, event: Event) -> None:
        """Passes on what happens, and now and then checkpoints where the desk keeps the folder."""
        if isinstance(event, Progressed):
            self._tell("progressed", event.line)
            if "dev_f1" in event.line and self.run.folder != self.errand.run.folder:
                self._sparing(self._send)
        elif isinstance(event, Measuring):
            self._tell("measuring", event.what)
        elif isinstance(event, Measured):
            self._tell("measured", event.seconds)

    def say(self, line: str) -> None:
        """Has the command print a line."""
        self._tell("said", line)

    def _tell(self, kind: Kind, more: Any) -> Any:
        return self._desk.tell.remote((self.errand.key, kind, more))

    @contextmanager
    def _kept(self, folder: Path) -> Iterator[None]:
        key = self.errand.key
        self._get(self._desk.hold.remote(key))
        unpack(self._get(self._desk.fetch.remote(key)), folder)
        try:
            yield
        finally:
            self._send()
            self._get(self._desk.release.remote(key))

    def _send(self) -> None:
        """Has the desk keep the folder as it is."""
        self._get(self._desk.keep.remote(self.errand.key, packed(self.run.folder)))

    def _give(self, path: Path) -> tuple[Parcel, Any]:
        parcel: Parcel = self._get(self._desk.parcel.remote(str(path)))

        def content() -> Files:
            found: Files = self._get(self._desk.content.remote(str(path)))
            return found

        return parcel, content

    def _end_with_the_command(self) -> None:
        """Until the errand is done: a desk answers a thousand calls at a time."""
        try:
            while not self._get(self._desk.stopped.remote()):
                if self._done.is_set():
                    return
        finally:  # also where the desk is gone, which ends with the command
            self.processes.stop()


class _Told(io.TextIOBase):
    """What a step says of its errors, told line by line."""

    def __init__(self, place: _Place) -> None:
        self._place, self._begun = place, ""

    def write(self, text: str) -> int:
        """Tells what lines are whole."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._place.say(line)
        return len(text)
