"""Runs on this machine, one or several at a time; what measures speed runs alone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from runners.executors import steps
from runners.executors.base import Ended, Event, OnEvent, PlannedRun, Started
from runners.executors.processes import Processes, served
from suite.records.run import RunRecord


class LocalExecutor:
    """Carries runs out on this machine.

    With one worker, each run is trained and then measured. With several, so many trainings are
    under way at once, and when all have ended, each run is measured while nothing else is.

    Args:
        workers: trainings at a time, each with the threads of its protocol.
        processes: to train and measure in; None: those of a server that has imported torch.
        sole: whether no other command of the user's is known to work beside this one.
    """

    def __init__(
        self, workers: int = 1, processes: Processes | None = None, *, sole: bool = True
    ) -> None:
        self.workers, self.sole = workers, sole
        self._processes = processes

    def run_all(self, runs: Sequence[PlannedRun], on_event: OnEvent) -> None:
        """As `Executor` has it."""
        processes = self._processes or served()
        if self.workers == 1:
            for run in runs:
                on_event(Started(run))
                record = steps.train(run, processes, on_event)
                self._measure(run, _company(record, alone=self.sole), processes, on_event)
            return
        for run, record in self._train_together(runs, processes, on_event):
            self._measure(run, record, processes, on_event)

    def _measure(
        self, run: PlannedRun, record: RunRecord, processes: Processes, on_event: OnEvent
    ) -> None:
        record.write(run.folder)
        record = steps.measure(run, record, processes, on_event, alone=self.sole)
        on_event(Ended(run, record))

    def _train_together(
        self, runs: Sequence[PlannedRun], processes: Processes, on_event: OnEvent
    ) -> list[tuple[PlannedRun, RunRecord]]:
        """Trains all runs, so many at a time, and passes on what they say in this thread."""
        heard: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        together = _Together()

        def train(run: PlannedRun) -> RunRecord:
            with together.joined(run):
                heard.put(Started(run))
                return steps.train(run, processes, heard.put)

        with ThreadPoolExecutor(self.workers) as pool:
            trainings = [pool.submit(train, run) for run in runs]
            _when_all_are_done(trainings, lambda: heard.put(None))
            try:
                while (event := heard.get()) is not None:
                    on_event(event)
                    for training in trainings:
                        if training.done() and not training.cancelled():
                            training.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                processes.stop()
                raise
            records = [training.result() for training in trainings]
        return [
            (run, _company(record, alone=self.sole and run.folder not in together.accompanied))
            for run, record in zip(runs, records, strict=True)
        ]


class _Together:
    """Notes which runs were under way while another one was."""

    def __init__(self) -> None:
        self.accompanied: set[object] = set()
        self._under_way: set[object] = set()
        self._lock = threading.Lock()

    @contextmanager
    def joined(self, run: PlannedRun) -> Iterator[None]:
        """While the run is under way."""
        with self._lock:
            self._under_way.add(run.folder)
            if len(self._under_way) > 1:
                self.accompanied |= self._under_way
        try:
            yield
        finally:
            with self._lock:
                self._under_way.remove(run.folder)


def _when_all_are_done(futures: Sequence[Future[RunRecord]], call: Callable[[], None]) -> None:
    left = len(futures)
    lock = threading.Lock()

    def one_is(_: object) -> None:
        nonlocal left
        with lock:
            left -= 1
            if left == 0:
                call()

    if not futures:
        call()
    for future in futures:
        future.add_done_callback(one_is)


def _company(record: RunRecord, *, alone: bool) -> RunRecord:
    """The record with whether its training was alone, where it was trained just now."""
    if record.training is None or record.training.alone is not None:
        return record
    training = record.training.model_copy(update={"alone": alone})
    return record.model_copy(update={"training": training})
