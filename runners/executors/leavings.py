"""What a process leaves when it ends, and what became of one that left nothing."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from runners.executors.processes import LOG
from suite.files import read_model
from suite.records.run import Status

Model = TypeVar("Model", bound=BaseModel)


def collected(file: Path, model: type[Model], call: Callable[[], int]) -> Model | int:
    """Calls a process and takes what it leaves in a file, which is gone then.

    Args:
        file: that the process writes; what an earlier one left there goes before.
        model: of its content.
        call: lets the process live and gives its exit code.

    Returns:
        The content; the exit code where nothing was left.

    Raises:
        SuiteError: the file holds something else.
    """
    file.unlink(missing_ok=True)
    code = call()
    if not file.exists():
        return code
    found = read_model(file, model, "measurement", "Give the same command again.")
    file.unlink()
    return found


def ending(code: int, folder: Path) -> tuple[Status, str]:
    """What became of a process that left nothing but its log.

    Args:
        code: with which it ended; negative for the signal that ended it.
        folder: in which it worked.
    """
    if code == -signal.SIGKILL:
        return "out of memory", "its process was killed by signal 9, as when memory runs out"
    if code < 0:
        return "interrupted", f"its process was ended by {signal.Signals(-code).name}"
    return "failed", f"{last_line(folder) or f'exit code {code}'} (see {LOG})"


def last_line(folder: Path) -> str:
    """The last line of a folder's log; empty where there is none."""
    path = folder / LOG
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1] if lines else ""
