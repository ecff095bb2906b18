"""Weights & Biases beside a run: offline by default, and never in its way.

What is logged stands in `history.jsonl` and `record.json` too; W&B draws it. Nothing but a user's
own Ctrl-C leaves this module as an exception.

A run keeps its W&B id, a hash over all that names it, however often it is cut off. W&B cannot
append to an offline run: each start writes a folder of its own, and of the folders of one id
`wandb sync` uploads the later over the earlier (wandb issues 2423 and 3841). Whoever goes on with
a run therefore logs its earlier epochs again, from `history.jsonl`, so that the last folder is
whole. An online run is resumed, and the server's own count of steps drops what it has already.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from suite.records.run import Epoch, RunRecord
from suite.tasks.metric import Metric
from suite.tasks.registry import find_task
from suite.tasks.scores import Evaluation, Scores

Mode = Literal["offline", "online", "off"]

AXES = ("epoch", "step", "seconds")
"""What curves can be drawn against; each is in every row of the history."""

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


class Tracker:
    """The W&B run of one training run, or of one report.

    At the first failure it warns with the reason, gives up and does nothing from then on.

    Args:
        mode: `offline` needs no account; `online` uploads, and is offline where there is no
            account or no server; `off` does not import wandb.
        folder: W&B makes its folder `wandb` in it.
        project: W&B's project.
        group: the suite.
        name: as W&B's tables show the run.
        config: what the run is made of. With `project`, `group`, `name` and `job_type` it decides
            the id, so it must not differ between a run and its resumption (no times, no paths).
        job_type: `train`, or what else was done.
        metrics: of the run's task; what the history holds of dev.
        warn: is told, once, why there is no tracking.
    """

    def __init__(
        self,
        mode: Mode,
        folder: Path,
        *,
        project: str,
        group: str,
        name: str,
        config: Mapping[str, Any],
        job_type: str = "train",
        metrics: Sequence[Metric] = (),
        warn: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._metrics = tuple(metrics)
        self._warn = warn
        self._warned = False
        self._wandb: ModuleType | None = None
        self._run: Any = None
        if mode == "off":
            return
        names = {"project": project, "group": group, "name": name, "job_type": job_type}
        try:
            _check_writable(folder)
            with _untouched_exit():
                self._run = self._start(mode, names, config)
        except Exception as error:
            self._give_up(error)

    def log(self, epoch: Epoch) -> None:
        """Adds an epoch to the history."""
        # Left open, the last row would come after the summary and take its dev scores' place.
        row = history_row(epoch, self._metrics)
        self._attempt(lambda run: run.log(row, step=epoch.epoch, commit=True))

    def summarise(self, record: RunRecord) -> None:
        """Sets the run's summary: the selected epoch's dev scores, test scores and cost."""
        self._attempt(lambda run: run.summary.update(summary(record)))

    def keep(self, files: Sequence[Path]) -> None:
        """Puts files, as they are now, among the run's own, from which they are uploaded.

        Not as an artifact: W&B's file of the run names an artifact's files by their whole paths.
        """

        def save(run: Any) -> None:
            for file in files:
                if not file.is_file():
                    raise FileNotFoundError(f"{file} is not there")
                run.save(str(file), base_path=str(file.parent), policy="now")

        self._attempt(save)

    def finish(self, failed: bool) -> None:
        """Closes the run; W&B marks it as failed, or as finished."""
        self._attempt(lambda run: run.finish(exit_code=int(failed)))
        self._run = None

    def _start(self, mode: Mode, names: Mapping[str, str], config: Mapping[str, Any]) -> Any:
        # Offline means that nothing leaves the machine, reports of W&B's own errors included.
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        self._wandb = wandb = importlib.import_module("wandb")
        settings = wandb.Settings(mode=mode, **SETTINGS)
        wandb.setup(settings)
        obstacle = _obstacle_to_upload(wandb) if mode == "online" else None
        if obstacle:
            settings.mode = mode = "offline"
        # W&B's log of its own doings begins with the whole paths of its folders.
        logging.disable(logging.INFO)
        run = wandb.init(
            mode=mode,
            dir=str(self._folder),
            id=run_id(names, config),
            resume="allow" if mode == "online" else None,
            reinit="create_new",
            config=dict(config),
            settings=settings,
            **names,
        )
        logging.disable(logging.NOTSET)
        # On a full disk, W&B's log of its own doings would print a traceback for every line.
        for handler in logging.getLogger("wandb").handlers:
            handler.setLevel(logging.CRITICAL)
        for axis in AXES:
            run.define_metric(axis, hidden=True)
        run.define_metric("*", step_metric="epoch")
        if obstacle:
            self._warn_once(
                f"W&B cannot upload: {obstacle}. The run is tracked offline; `wandb sync` with the"
                f" folders in {self._folder / 'wandb'} uploads it later."
            )
        return run

    def _attempt(self, action: Callable[[Any], object]) -> None:
        if self._run is None:
            return
        try:
            # W&B's service only logs a write error to its own file, which is full as well.
            _check_writable(self._folder)
            action(self._run)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._run = None
        reason = " ".join(str(error).split()) or type(error).__name__
        self._warn_once(f"W&B does not track this run: {reason}. The run goes on without it.")
        if self._wandb is not None:
            # Else its exit hook would find the dead service and end the program in a traceback.
            with suppress(Exception, SystemExit):
                self._wandb.teardown()

    def _warn_once(self, message: str) -> None:
        if not self._warned:
            self._warned = True
            self._warn(message)


def run_id(names: Mapping[str, str], config: Mapping[str, Any]) -> str:
    """Sixteen hexadecimal digits that a run and its resumption share."""
    text = json.dumps([dict(names), dict(config)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def history_row(epoch: Epoch, metrics: Sequence[Metric]) -> dict[str, float]:
    """An epoch as flat metrics: the axes, `train/...`, `time/...` and `dev/<metric>`."""
    return {
        "epoch": epoch.epoch,
        "step": epoch.step,
        "seconds": epoch.seconds,
        "train/loss": epoch.loss,
        **{f"train/{name}": value for name, value in {**epoch.parts, **epoch.measures}.items()},
        "train/gradient_norm": epoch.gradient_norm,
        "train/learning_rate": epoch.learning_rate,
        "time/evaluation_seconds": epoch.evaluation_seconds,
        "time/step_seconds": epoch.step_seconds,
        **{f"dev/{name}": value for name, value in _metrics(epoch.dev, metrics).items()},
    }


def summary(record: RunRecord) -> dict[str, Any]:
    """A record as flat values; what was not measured is not there."""
    splits = {"dev": record.dev, "test": record.test}
    metrics = find_task(record.dataset.task).metrics
    values: dict[str, Any] = {
        "status": record.status,
        "failure": record.failure,
        "parameters": record.parameters and record.parameters.model_dump(),
        "cost": record.training and record.training.model_dump(),
        "inference": {str(c.batch_size): c.model_dump() for c in record.inference},
        "ceiling": {split: _matches(e) for split, e in record.ceiling.items()},
    }
    for split, evaluation in splits.items():
        if evaluation is not None:
            slices = {
                family: {name: _triple(scores) for name, scores in members.items()}
                for family, members in evaluation.slices.items()
            }
            values[split] = {**_metrics(evaluation, metrics), **slices}
    return {key: value for name, part in values.items() for key, value in _flat(name, part)}


def _metrics(evaluation: Evaluation, metrics: Sequence[Metric]) -> dict[str, float]:
    """Name -> value of the metrics that the evaluation holds."""
    found = {metric.name: metric.of(evaluation) for metric in metrics}
    return {name: value for name, value in found.items() if value is not None}


def _matches(evaluation: Evaluation) -> dict[str, dict[str, float]]:
    return {"partial": _triple(evaluation.partial), "exact": _triple(evaluation.exact)}


def _triple(scores: Scores) -> dict[str, float]:
    return {"f1": scores.f1, "precision": scores.precision, "recall": scores.recall}


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}/{key}", inner)
    elif value is not None:
        yield name, value


def _obstacle_to_upload(wandb: Any) -> str | None:
    """Why the server takes no run from here; None where it does."""
    try:
        if wandb.login(prompt=False, verify=True):
            return None
    except wandb.errors.AuthenticationError as error:
        return " ".join(str(error).split()).rstrip(".")
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
def _untouched_exit() -> Iterator[None]:
    """Takes back W&B's replacements of `sys.exit` and `sys.excepthook`, which print."""
    before = sys.exit, sys.excepthook
    try:
        yield
    finally:
        sys.exit, sys.excepthook = before
