"""Runs that are killed at a chosen moment, in the middle of a file if need be."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import tiny

HALF, WHOLE = "half written", "written"


class Moments:
    """Numbers the moments of a run, writes each down, and dies at the chosen one.

    A moment is `<epoch>: <what>`: a progress line, or a file that is half written or written.
    """

    def __init__(self, log: Path, fatal: str | None) -> None:
        self.log, self.fatal = log, fatal
        self.epoch = 0

    def pass_by(self, what: str, before_death: Callable[[], object] = lambda: None) -> None:
        moment = f"{self.epoch}: {what}"
        with self.log.open("a") as file:
            file.write(f"{moment}\n")
        if moment == self.fatal:
            before_death()
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Puts itself between the suite and the disk."""
        from runners.runs import train

        fsync, replace, plain_open, tell = os.fsync, Path.replace, Path.open, train.tell

        def watched_fsync(number: int) -> None:
            path = Path(f"/proc/self/fd/{number}").readlink()
            name = path.name.removeprefix(".").removesuffix(f".{os.getpid()}")
            self.pass_by(f"{name} {HALF}", lambda: os.truncate(path, path.stat().st_size // 2))
            fsync(number)

        def watched_replace(path: Path, target: Path) -> Path:
            moved = replace(path, target)
            self.pass_by(f"{target.name} {WHOLE}")
            return moved

        def watched_open(path: Path, mode: str = "r", *more: Any, **named: Any) -> Any:
            file = plain_open(path, mode, *more, **named)
            if mode == "a" and path != self.log:
                write = file.write

                def watched_write(line: str) -> None:
                    def part() -> None:
                        write(line[: len(line) // 2])
                        file.flush()

                    self.pass_by(f"{path.name} {HALF}", part)
                    write(line)

                file.write = watched_write
            return file

        def watched_tell(progress: Any, step: int, *more: Any) -> None:
            self.epoch = progress.epoch
            tell(progress, step, *more)
            self.pass_by(f"step {step}")

        os.fsync, Path.replace, Path.open = watched_fsync, watched_replace, watched_open  # type: ignore[assignment]
        train.tell = watched_tell


def train_until(folder: Path, log: Path, fatal: str | None) -> int:
    """A training, killed at the moment `fatal`; for `tiny.forked`."""
    Moments(log, fatal).watch()
    return tiny.train(folder)
