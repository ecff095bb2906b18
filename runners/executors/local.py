"""Runs on this machine, one or several at a time; what measures speed runs alone."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from runners.executors import steps
from runners.executors.base import Ended, Event, OnEvent, PlannedRun, Started
from runners.executors.company import Company
from runners.executors.processes import Processes
from runners.executors.server import served
from suite.records.run import RunRecord


class LocalExecutor:
    """Carries runs out on this machine.

    With one worker, each run is trained and then measured. With several, so many trainings are
    under way at once, and when all have ended, each run is measured while nothing else is.

    Args:
        workers: trainings at a time, each with the threads of its protocol.
        processes: to train and measure in; None: those of servers that have imported torch.
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
        if self.workers > 1:
            trained = self._train_together(runs, processes, on_event)
            for run, record in zip(runs, trained, strict=True):
                self._measure(run, record, processes, on_event)
            return
        for run in runs:
            on_event(Started(run))
            record = steps.train(run, processes, on_event).as_seen(alone=self.sole)
            record.write(run.folder)
            self._measure(run, record, processes, on_event)

    def _measure(
        self, run: PlannedRun, record: RunRecord, processes: Processes, on_event: OnEvent
    ) -> None:
        record = steps.measure(run, record, processes, on_event)
        record = steps.measured_as_seen(record, alone=self.sole)
        record.write(run.folder)
        on_event(Ended(run, record))

    def _train_together(
        self, runs: Sequence[PlannedRun], processes: Processes, on_event: OnEvent
    ) -> list[RunRecord]:
        """Trains all runs, so many at a time, and passes on what they say in this thread."""
        heard: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        company = Company()

        def train(run: PlannedRun) -> RunRecord:
            company.begins(run.folder)
            try:
                heard.put(Started(run))
                trained = steps.train(run, processes, heard.put)
            finally:
                company.ends(run.folder)
            # At once: a command that goes on from here has not seen what ran beside it.
            record = trained.as_seen(alone=self.sole and company.was_alone(run.folder))
            record.write(run.folder)
            return record

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
            return [training.result() for training in trainings]


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
