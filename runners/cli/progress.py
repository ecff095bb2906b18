"""What is seen of runs while they are under way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from runners.cli.command import console

if TYPE_CHECKING:
    from runners.executors.base import Event, PlannedRun


class _Shown:
    """Hears of runs and shows them: one bar per run that is under way and one for all.

    Args:
        bars: on a terminal; elsewhere a line is printed per run and per epoch.
        total: runs in all.
    """

    def __init__(self, bars: Progress, total: int) -> None:
        self.bars, self.total, self.begun = bars, total, 0
        self.whole = bars.add_task("runs", total=total, state="")
        self.under_way: dict[str, TaskID] = {}
        self.epochs_said: dict[str, int] = {}

    def done_before(self, run: PlannedRun) -> None:
        """A run that needs nothing more."""
        self._begin(run, "done before")
        self.bars.advance(self.whole)

    def __call__(self, event: Event) -> None:
        """Shows what happened."""
        from runners.executors.base import (  # noqa: PLC0415 - torch
            Ended,
            Progressed,
            Restarted,
            Started,
        )

        if isinstance(event, Started):
            where = f" on {event.node}" if event.node else ""
            self._begin(event.run, f"starts{where}")
            title = event.run.title
            self.under_way[title] = self.bars.add_task(f"{title}{where}", total=None, state="")
            self.epochs_said[title] = 0
        elif isinstance(event, Restarted):
            title, node = event.run.title, event.node
            self.bars.update(self.under_way[title], description=f"{title} on {node}")
            self._print(f"  {title}: goes on on {node}, for what did it before has died")
        elif isinstance(event, Progressed):
            self._further(event.run, event.line)
        elif isinstance(event, Ended):
            self.bars.remove_task(self.under_way.pop(event.run.title))
            self.bars.advance(self.whole)

    def _begin(self, run: PlannedRun, state: str) -> None:
        self.begun += 1
        self.bars.update(self.whole, state=f"{self.begun} of {self.total}")
        self._print(f"[{self.begun} of {self.total}] {run.title}: {state}")

    def _further(self, run: PlannedRun, line: dict[str, float]) -> None:
        state = f"dev F1 {line['best_f1']:.3f}"
        task = self.under_way[run.title]
        self.bars.update(task, total=line["epochs"], completed=line["epoch"], state=state)
        epoch = int(line["epoch"])
        if epoch > self.epochs_said[run.title]:
            self.epochs_said[run.title] = epoch
            which = f"{run.title}: " if len(self.under_way) > 1 else ""
            self._print(f"  {which}epoch {epoch} of {line['epochs']:.0f}, best {state}")

    def _print(self, line: str) -> None:
        if not console.is_terminal:
            console.print(line, markup=False)


@contextmanager
def shown(runs: Sequence[PlannedRun], left: Sequence[PlannedRun]) -> Iterator[_Shown]:
    """Shows runs while they are carried out.

    Args:
        runs: all.
        left: those that are not done yet.
    """
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    to_do = {run.folder for run in left}
    with bars:
        heard = _Shown(bars, len(runs))
        for run in runs:
            if run.folder not in to_do:
                heard.done_before(run)
        yield heard
