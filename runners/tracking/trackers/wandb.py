"""Weights & Biases beside a run: offline unless more is asked for.

A run keeps its W&B id, a hash over all that names it, however often it is cut off. W&B cannot
append to an offline run: each start writes a folder of its own, and of the folders of one id
`wandb sync` uploads the later over the earlier (wandb issues 2423 and 3841). That a run which goes
on tells its earlier epochs again makes the last folder whole. An online run is resumed, and the
server's own count of steps drops what it has already.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from runners.tracking.base import PROJECT, Kind, Tell, Tracked, Tracker, in_a_line
from runners.tracking.flatten import ANSWERS, AXES, answer_rows, history_row, run_id, summary
from suite.records.run import Epoch, RunRecord
from suite.tasks.scores import AnsweredExample

TABLE = "test/answers"
MOST_ROWS = 10_000
"""Of a table: what W&B shows at most."""
LONGEST_TAG = 64
PROBE_BYTES = 64 * 1024
"""More than the block of 32 KiB in which W&B writes its file."""

SETTINGS: Mapping[str, Any] = {
    "silent": True,
    "console": "off",
    "symlink": False,
    # No prompt, no server and no upload may hold up a run for longer (seconds).
    "login_timeout": 10,
    "init_timeout": 60,
    "finish_timeout": 300,
    "x_service_wait": 30,
    # The record says where a run took place, without the names of hosts, users and folders that
    # W&B would upload; and its sampling thread would disturb the measurements.
    "disable_git": True,
    "disable_code": True,
    "save_code": False,
    "label_disable": True,
    "host": "",
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}


class WandbTracker(Tracker):
    """The W&B run of what is tracked.

    Offline it needs no account. Online it uploads, and is offline, which is told, where there is no
    account or no server.
    """

    def __init__(self, run: Tracked, tell: Tell) -> None:
        self._folder, self._metrics = run.folder, tuple(run.metrics)
        self._wandb: ModuleType | None = None
        _check_writable(self._folder)
        try:
            with _untouched_exit():
                self._run = self._start(run, tell)
        except Exception:
            self.abandon()
            raise

    def log(self, epoch: Epoch) -> None:
        """Adds an epoch to the history."""
        # Left open, the last row would come after the summary and take its dev scores' place.
        row = history_row(epoch, self._metrics)
        self._attempt(lambda run: run.log(row, step=epoch.epoch, commit=True))

    def tabulate(self, answers: Sequence[AnsweredExample]) -> None:
        """Shows the answers as a table in the summary, of its first rows where they are many."""
        assert self._wandb is not None
        rows = answer_rows(answers)[:MOST_ROWS]
        table = self._wandb.Table(columns=list(ANSWERS), data=rows)

        def show(run: Any) -> None:
            # Else it would become an artifact, whose files W&B names by their whole paths.
            table.bind_to_run(run, TABLE, "summary")
            run.summary.update({TABLE: table})

        self._attempt(show)

    def summarise(self, record: RunRecord) -> None:
        """Sets the run's summary."""
        self._attempt(lambda run: run.summary.update(summary(record)))

    def keep(self, files: Sequence[Path]) -> None:
        """Puts files among the run's own, from which they are uploaded.

        Not as an artifact: W&B's file of the run names an artifact's files by their whole paths.
        """

        def save(run: Any) -> None:
            for file in files:
                run.save(str(file), base_path=str(file.parent), policy="now")

        self._attempt(save)

    def finish(self, failed: bool) -> None:
        """Closes the run; W&B marks it as failed, or as finished."""
        self._attempt(lambda run: run.finish(exit_code=int(failed)))

    def abandon(self) -> None:
        """Ends W&B's service: its exit hook would find it dead and end the program so."""
        if self._wandb is not None:
            with suppress(Exception, SystemExit):
                self._wandb.teardown()

    def _start(self, run: Tracked, tell: Tell) -> Any:
        # Offline means that nothing leaves the machine, reports of W&B's own errors included.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        self._wandb = wandb = importlib.import_module("wandb")
        mode = "online" if run.online else "offline"
        settings = wandb.Settings(mode=mode, **SETTINGS)
        wandb.setup(settings)
        obstacle = _obstacle_to_upload(wandb) if run.online else None
        if obstacle:
            settings.mode = mode = "offline"
        with _without_its_log():
            started = wandb.init(
                mode=mode,
                dir=str(run.folder),
                id=run_id(run),
                resume="allow" if mode == "online" else None,
                reinit="create_new",
                project=PROJECT,
                group=run.group,
                name=run.name,
                job_type=run.job_type,
                config=dict(run.config),
                tags=list(dict.fromkeys(_tag(kind, value) for kind, value in run.tags.items())),
                settings=settings,
            )
        # On a full disk, W&B's log of its own doings would print a traceback for every line.
        for handler in logging.getLogger("wandb").handlers:
            handler.setLevel(logging.CRITICAL)
        for axis in AXES:
            started.define_metric(axis, hidden=True)
        started.define_metric("*", step_metric="epoch")
        if obstacle:
            tell(
                f"W&B cannot upload: {obstacle}. The run is tracked offline; `wandb sync` with the"
                f" folders in {run.folder / 'wandb'} uploads it later."
            )
        return started

    def _attempt(self, action: Callable[[Any], object]) -> None:
        # W&B's service only logs a write error to its own file, which is full as well.
        _check_writable(self._folder)
        action(self._run)


def _tag(kind: str, value: str) -> str:
    """W&B's tags are words alone; a seed's number would tell nothing without its kind."""
    return (f"{kind} {value}" if kind == "seed" else value)[:LONGEST_TAG]


def _obstacle_to_upload(wandb: Any) -> str | None:
    """Why the server takes no run from here; None where it does."""
    try:
        if wandb.login(prompt=False, verify=True):
            return None
    except wandb.errors.AuthenticationError as error:
        return in_a_line(error)
    return "there is no account on this machine (`wandb login`)"


def _check_writable(folder: Path) -> None:
    """Makes the folder, and writes a file in it that is never seen.

    Raises:
        OSError: it cannot be written or the disk is full. W&B would move to the system's folder
            for temporary files, or lose what it cannot write, without a word.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(PROBE_BYTES))
        file.flush()


@contextmanager
def _without_its_log() -> Iterator[None]:
    """W&B's log of its own doings begins with the whole paths of its folders."""
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def _untouched_exit() -> Iterator[None]:
    """Takes back W&B's replacements of `sys.exit` and `sys.excepthook`, which print."""
    before = sys.exit, sys.excepthook
    try:
        yield
    finally:
        sys.exit, sys.excepthook = before


KIND = Kind(title="W&B", start=WandbTracker, uploads=True)
