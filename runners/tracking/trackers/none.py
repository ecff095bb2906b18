"""Nobody: the run's own files hold all that a tracker would be told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runners.tracking.base import Kind, Tell, Tracked
from suite.records.run import Epoch, RunRecord
from suite.tasks.scores import AnsweredExample


class Nobody:
    """Takes what it is told, and does nothing with it."""

    def __init__(self, run: Tracked, warn: Tell) -> None:
        del run, warn

    def log(self, epoch: Epoch) -> None:
        """As `Tracker` has it, as the other methods."""

    def tabulate(self, answers: Sequence[AnsweredExample]) -> None:
        """See `log`."""

    def summarise(self, record: RunRecord) -> None:
        """See `log`."""

    def keep(self, files: Sequence[Path]) -> None:
        """See `log`."""

    def finish(self, failed: bool) -> None:
        """See `log`."""

    def abandon(self) -> None:
        """See `log`."""


KIND = Kind(title="none", start=Nobody)
