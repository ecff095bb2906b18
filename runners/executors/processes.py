"""Processes in which runs train and are measured.

They end when the process that started them does, however that ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from runners.executors.base import OnProgress
from runners.executors.starter import end_with_the_starter
from runners.runs.train import PROGRESS

LOG = "log.txt"

Work: TypeAlias = Callable[..., int]
"""What a process does: takes a run's folder, a loaded workbench or None, and arguments of its own;
gives the exit code."""


class Processes(Protocol):
    """How the processes of runs are started."""

    def call(
        self,
        work: Work,
        folder: Path,
        *arguments: object,
        lock: int,
        encoder: bool = False,
        on_progress: OnProgress | None = None,
    ) -> int:
        """Does a piece of work in a process of its own, to its end.

        Args:
            work: a function of a module.
            folder: of the run, whose log takes what the process says of its errors.
            arguments: of the work, besides folder and workbench.
            lock: descriptor of the run's lock, which the process holds as long as it lives.
            encoder: whether the work is on an encoder of `transformers`.
            on_progress: hears how far it has come; what it raises ends the process.

        Returns:
            Its exit code; negative for the signal that ended it.
        """

    def stop(self) -> None:
        """Ends the processes that are under way; they leave their records before they end."""


class StoppedError(Exception):
    """No process is started any more."""


class Held:
    """A descriptor that goes along into a process."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _held, (DupFd(self.number),)


def _held(passed: Any) -> Held:
    return Held(passed.detach())


class ProcessesOf:
    """Processes of one of the ways of `multiprocessing` to start them.

    Args:
        context: the way.
        bench: a loaded workbench, which forks inherit; None: each process loads its own.
        of_encoders: another way for work on an encoder; None: the same.
    """

    def __init__(self, context: Any, bench: Any = None, *, of_encoders: Any = None) -> None:
        self._context, self._bench = context, bench
        self._of_encoders = of_encoders or context
        self._living: set[Any] = set()
        self._stopped = False

    def call(
        self,
        work: Work,
        folder: Path,
        *arguments: object,
        lock: int,
        encoder: bool = False,
        on_progress: OnProgress | None = None,
    ) -> int:
        """As `Processes` has it."""
        context = self._of_encoders if encoder else self._context
        reading, said = context.Pipe(duplex=False)
        alive, held = context.Pipe(duplex=False)
        forked = context.get_start_method() == "fork"
        process = context.Process(
            target=_live,
            args=(work, folder, self._bench, arguments, said, alive, Held(lock)),
            kwargs={"environment": dict(os.environ), "others": (held, reading) if forked else ()},
        )
        with held, alive, reading:
            if self._stopped:
                raise StoppedError
            with said:
                process.start()
            self._living.add(process)
            try:
                with os.fdopen(os.dup(reading.fileno())) as lines:
                    _follow(lines, on_progress)
            except BaseException:
                process.terminate()
                process.join()
                raise
            finally:
                if process.is_alive():
                    process.join()
                self._living.discard(process)
        assert process.exitcode is not None
        return int(process.exitcode)

    def stop(self) -> None:
        """As `Processes` has it."""
        self._stopped = True
        for process in list(self._living):
            process.terminate()


def _follow(lines: Iterator[str] | Any, on_progress: OnProgress | None) -> None:
    """Passes on what a process says until it ends."""
    for line in lines:
        if not line.startswith(PROGRESS):
            print(line, end="", file=sys.stderr)
        elif on_progress is not None:
            on_progress(json.loads(line.removeprefix(PROGRESS)))


def _live(
    work: Work,
    folder: Path,
    bench: Any,
    arguments: Sequence[object],
    said: Connection,
    alive: Connection,
    lock: Held,
    *,
    environment: Mapping[str, str],
    others: Sequence[Connection],
) -> None:
    """The whole life of a process."""
    del lock  # held by the descriptor, which lives as long as the process
    for other in others:  # ends of pipes that a fork has inherited
        other.close()
    os.environ.clear()
    os.environ.update(environment)
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(said.fileno(), 1)
    os.dup2(log, 2)
    said.close()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_the_starter(alive.fileno())
    code = work(folder, bench, *arguments)
    sys.stdout.flush()
    sys.exit(code)
