"""What a tracker is told of a run, and how it never stands in a run's way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from suite.records.run import Epoch, RunRecord
from suite.tasks.metric import Metric
from suite.tasks.scores import AnsweredExample

PROJECT = "relation-suite"


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """What is tracked: a training run, or the report of a suite.

    Attributes:
        folder: in which the tracker makes a folder of its own, called as the tracker is.
        group: the suite.
        name: as a tracker's tables show it.
        config: what it is made of. With `group`, `name` and `job_type` it decides the id, so it
            must not differ between a run and its resumption (no times, no paths).
        job_type: `train`, or what else was done.
        metrics: of the run's task; what the history holds of dev.
        tags: what it can be found by, kind -> value.
        online: whether it may be uploaded while it goes on, by a tracker that can.
    """

    folder: Path
    group: str
    name: str
    config: Mapping[str, Any]
    job_type: str = "train"
    metrics: Sequence[Metric] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    online: bool = False


class Tracker:
    """Whoever is told of a run; this one does nothing with what it is told.

    Others have that of it for which their tool has no place.
    All that is told stands in the run's own files too. A run that was cut off tells its earlier
    epochs again, in order, before it goes on.
    """

    def log(self, epoch: Epoch) -> None:
        """Adds an epoch to the history."""

    def tabulate(self, answers: Sequence[AnsweredExample]) -> None:
        """Shows how each test example was answered, by numbers alone."""

    def summarise(self, record: RunRecord) -> None:
        """Says how the run ended: the selected epoch's dev scores, test scores and cost."""

    def keep(self, files: Sequence[Path]) -> None:
        """Keeps files as they are now."""

    def finish(self, failed: bool) -> None:
        """Closes the run, as failed or as finished."""

    def abandon(self) -> None:
        """Lets go of what it holds, once something has failed; nothing is told after that."""


Tell: TypeAlias = Callable[[str], None]
"""Is told why there is no tracking, or not as it was asked for."""
Start: TypeAlias = Callable[[Tracked, Tell], Tracker]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A tracker that `--tracker` can name; the constant `KIND` of its module.

    Attributes:
        title: as its users call it.
        start: begins to track, or goes on with what an earlier start began.
        packages: that it imports and that not every installation has.
        extra: the suite's extra that brings them.
        uploads: whether it can upload runs while they go on.
        gather: makes of what the runs of an output folder left what can be looked at together;
            None where nothing has to be made.
    """

    title: str
    start: Start
    packages: tuple[str, ...] = ()
    extra: str = ""
    uploads: bool = False
    gather: Callable[[Path], object] | None = None


class Guarded(Tracker):
    """A tracker that at its first failure warns with the reason, and does nothing from then on.

    Nothing but a user's own Ctrl-C leaves it as an exception.

    Args:
        kind: of the tracker.
        run: what is tracked.
        warn: is told, once, why there is no tracking.
    """

    def __init__(self, kind: Kind, run: Tracked, warn: Tell) -> None:
        self._title, self._warn = kind.title, warn
        self._warned = False
        self._tracker: Tracker | None = None
        try:
            self._tracker = kind.start(run, self._warn_once)
        except Exception as error:
            self._give_up(error)

    def log(self, epoch: Epoch) -> None:
        """As `Tracker` has it, as the other methods."""
        self._attempt(lambda tracker: tracker.log(epoch))

    def tabulate(self, answers: Sequence[AnsweredExample]) -> None:
        """See `log`."""
        self._attempt(lambda tracker: tracker.tabulate(answers))

    def summarise(self, record: RunRecord) -> None:
        """See `log`."""
        self._attempt(lambda tracker: tracker.summarise(record))

    def keep(self, files: Sequence[Path]) -> None:
        """See `log`; a file that is not there is a failure."""

        def keep(tracker: Tracker) -> None:
            for file in files:
                if not file.is_file():
                    raise FileNotFoundError(f"{file} is not there")
            tracker.keep(files)

        self._attempt(keep)

    def finish(self, failed: bool) -> None:
        """See `log`."""
        self._attempt(lambda tracker: tracker.finish(failed))
        self._tracker = None

    def abandon(self) -> None:
        """See `log`."""
        broken, self._tracker = self._tracker, None
        if broken is not None:
            with suppress(Exception, SystemExit):
                broken.abandon()

    def _attempt(self, action: Callable[[Tracker], None]) -> None:
        if self._tracker is None:
            return
        try:
            action(self._tracker)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._warn_once(
            f"{self._title} does not track this run: {in_a_line(error)}. The run goes on without "
            "it."
        )
        self.abandon()

    def _warn_once(self, message: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(message)


def in_a_line(error: Exception) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
