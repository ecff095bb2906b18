"""What is seen of runs while they are under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from runners.cli.command import console

if TYPE_CHECKING:
    from runners.cli.planned import Estimates
    from runners.executors.base import Event, PlannedRun

TRAINING = 0.9
"""Share of a run that its training is taken to be, where nothing was timed before."""
TESTING = 0.97
"""Share of a training, with its tests, after which tests are taken to begin."""


class _Run:
    """How far a run has come, in the seconds that it is expected to take, or in shares of a run.

    Args:
        run: to be done.
        training: what its training takes.
        measuring: what all of its measurements take.
    """

    def __init__(self, run: PlannedRun, training: float, measuring: float) -> None:
        self.training = training
        self.each = measuring / max(1, run.measurements)
        self.total = training + measuring
        self.done = 0.0
        self.measurements = 0

    def trains(self, share: float) -> None:
        """So much of its training is done."""
        self.done = max(self.done, share * self.training)

    def measures(self) -> None:
        """One more measurement begins: what was before it is done."""
        self.done = self.training + self.measurements * self.each
        self.measurements += 1


class _Shown:
    """Hears of runs and shows them: one bar per run that is under way and one for all.

    Args:
        bars: on a terminal; elsewhere a line is printed per run and per epoch.
        runs: all.
        estimated: what was timed of them.
    """

    def __init__(self, bars: Progress, runs: Sequence[PlannedRun], estimated: Estimates) -> None:
        self.bars, self.total, self.begun, self.ended = bars, len(runs), 0, 0
        self.runs = {run.title: one for run, one in _expected(runs, estimated)}
        self.done = 0.0
        whole = sum(run.total for run in self.runs.values())
        self.whole = bars.add_task("runs", total=whole, state="")
        self.under_way: dict[str, TaskID] = {}
        self.epochs_said: dict[str, int] = {}

    def done_before(self, run: PlannedRun) -> None:
        """A run that needs nothing more, and is no part of what is left."""
        self._begin(run, "done before")
        self.ended += 1
        rest = self.bars.tasks[self.whole].total or 0.0
        self.bars.update(self.whole, total=rest - self.runs.pop(run.title).total)

    def __call__(self, event: Event) -> None:
        """Shows what happened."""
        from runners.executors.base import (  # noqa: PLC0415 - torch
            Ended,
            Measuring,
            Progressed,
            Restarted,
            Started,
        )

        if isinstance(event, Started):
            where = f" on {event.node}" if event.node else ""
            self._begin(event.run, f"starts{where}")
            title = event.run.title
            total = self.runs[title].total
            self.under_way[title] = self.bars.add_task(f"{title}{where}", total=total, state="")
            self.epochs_said[title] = 0
            self._show(title, "preparing")
        elif isinstance(event, Restarted):
            title, node = event.run.title, event.node
            self.bars.update(self.under_way[title], description=f"{title} on {node}")
            self._print(f"  {title}: goes on on {node}, for what did it before has died")
        elif isinstance(event, Progressed):
            self._further(event.run, event.line)
        elif isinstance(event, Measuring):
            self.runs[event.run.title].measures()
            self._show(event.run.title, f"measuring {event.what}")
        elif isinstance(event, Ended):
            self._end(event.run.title)

    def _begin(self, run: PlannedRun, state: str) -> None:
        self.begun += 1
        self.bars.update(self.whole, state=f"{self.begun} of {self.total}")
        self._print(f"[{self.begun} of {self.total}] {run.title}: {state}")

    def _further(self, run: PlannedRun, line: dict[str, float]) -> None:
        title, state = run.title, f"dev F1 {line['best_f1']:.3f}"
        if "testing" in line:
            self.runs[title].trains(TESTING)
            self._show(title, f"testing, {state}")
            return
        self.runs[title].trains(TESTING * line["epoch"] / line["epochs"])
        epoch = int(line["epoch"])
        self._show(title, f"training, epoch {epoch} of {line['epochs']:.0f}, {state}")
        if epoch > self.epochs_said[title]:
            self.epochs_said[title] = epoch
            which = f"{title}: " if len(self.under_way) > 1 else ""
            self._print(f"  {which}epoch {epoch} of {line['epochs']:.0f}, best {state}")

    def _end(self, title: str) -> None:
        self.bars.remove_task(self.under_way.pop(title))
        self.done += self.runs.pop(title).total
        self.ended += 1
        self._show_whole()
        if self.ended == self.total:
            self.bars.update(self.whole, state="writing the report")

    def _show(self, title: str, state: str) -> None:
        self.bars.update(self.under_way[title], completed=self.runs[title].done, state=state)
        self._show_whole()

    def _show_whole(self) -> None:
        self.bars.update(self.whole, completed=self.done + sum(r.done for r in self.runs.values()))

    def _print(self, line: str) -> None:
        if not console.is_terminal:
            console.print(line, markup=False)


def _expected(
    runs: Sequence[PlannedRun], estimated: Estimates
) -> Iterator[tuple[PlannedRun, _Run]]:
    """Each run with what it is expected to take; one that was not timed, as the mean of others."""
    took = [one.took for one in estimated.values() if not isinstance(one, str)]
    training = sum(one.training for one in took) / len(took) if took else TRAINING
    measuring = sum(one.measuring for one in took) / len(took) if took else 1 - TRAINING
    for run in runs:
        one = estimated.get((run.planned.system.key, run.planned.dataset.name))
        known = None if one is None or isinstance(one, str) else one.took
        left = 0.0 if run.trained() else known.training if known else training
        yield run, _Run(run, left, known.measuring if known else measuring)


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        speed_estimate_period=3600.0,  # steps come every second, measurements every minute
    )


@contextmanager
def shown(
    runs: Sequence[PlannedRun],
    left: Sequence[PlannedRun],
    estimated: Estimates | None = None,
) -> Iterator[Callable[[Event], None]]:
    """Shows runs while they are carried out, and until what is written of them is.

    Args:
        runs: all.
        left: those that are not done yet.
        estimated: what was timed of them.
    """
    to_do = {run.folder for run in left}
    bars = _bars()
    with bars:
        heard = _Shown(bars, runs, estimated or {})
        for run in runs:
            if run.folder not in to_do:
                heard.done_before(run)
        yield heard


@contextmanager
def shown_trials(total: int, tried: Callable[[], int]) -> Iterator[Callable[[], None]]:
    """Shows a search while its workers try structures.

    Args:
        total: structures to try.
        tried: counts those that were; asked now and then.

    Yields:
        What is to be called again and again while workers are under way.
    """
    bars = _bars()
    with bars:
        task = bars.add_task("structures", total=total, completed=tried(), state="")

        def look() -> None:
            if console.is_terminal:
                count = tried()
                bars.update(task, completed=count, state=f"trying, {count} of {total}")

        yield look
