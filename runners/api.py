"""The suite from Python: load data, train, use a model, score, read what a suite left.

Each of these is what the commands call; all of the commands' options are fields of
`runners.options`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from runners.cli.run_suite import make_request, refuse_contradictions
from runners.executors.base import Event
from runners.executors.local import LocalExecutor
from runners.options.commands import SuiteOptions
from runners.options.declared import refuse_other_values
from runners.remote.urls import is_url
from runners.suite import Suite
from suite.datasets import Dataset, load_dataset
from suite.datasets.catalogue.entry import SplitName
from suite.errors import SuiteError
from suite.extraction.model import Model
from suite.privacy import without_credentials
from suite.records.run import RunRecord, read_record
from suite.tasks.items import Prediction
from suite.tasks.matching import Match
from suite.tasks.scores import Evaluation
from suite.tasks.scoring import evaluate_in_slices

__all__ = ["Frames", "Model", "Trained", "load_dataset", "read_results", "score", "train"]


class Trained(NamedTuple):
    """A run that was carried out.

    Attributes:
        folder: of its record, predictions and model.
        record: scores, costs, and what it was trained on.
    """

    folder: Path
    record: RunRecord

    def model(self, device: str = "auto") -> Model:
        """Its trained system.

        Raises:
            SuiteError: the run is not complete, or its model is damaged.
        """
        return Model.load(self.folder, device)


def train(
    dataset: str | Path,
    system: str = "fastre",
    *,
    out: str | Path = "runs",
    seed: int = 0,
    on_event: Callable[[Event], None] = lambda event: None,
    **options: Any,
) -> Trained:
    """Trains and measures one system, as `run-suite` does, in processes of its own.

    A complete run of the same settings in `out` is not run again. Programs need the guard
    `if __name__ == "__main__":` around it.

    Args:
        dataset: a name of the registry, or a folder.
        system: a name of the registry, or a YAML file of a variant.
        out: folder of runs and report.
        seed: of the run.
        on_event: hears of starts, epochs and measurements.
        options: further fields of `runners.options.commands.SuiteOptions`, as `epochs=20`.

    Raises:
        SuiteError: an option means nothing here, as Ray's, data or resources are not there, or the
            run left no scores.
    """
    if is_url(str(out)):
        raise SuiteError(
            f"out is a folder, and {without_credentials(str(out))} is a URL",
            remedy="run-suite takes one as --out.",
        )
    refuse_other_values(SuiteOptions, options)
    chosen = SuiteOptions(
        dataset=[str(dataset)], system=[system], seeds=f"{seed},", out=str(out), **options
    )
    if chosen.on_ray:
        raise SuiteError(
            "train is of this machine, and Ray's nodes are asked for",
            remedy="Leave out ray and ray_address; run-suite takes them.",
        )
    refuse_contradictions(chosen)
    suite = Suite(make_request(chosen))
    suite.run(LocalExecutor(), on_event)
    (planned,) = suite.runs
    record = read_record(planned.folder / "record.json")
    if record.status != "complete":
        raise SuiteError(f"the run is not complete: {record.failure}", where=planned.folder)
    return Trained(planned.folder, record)


def score(
    dataset: Dataset,
    predictions: Sequence[Sequence[Prediction]],
    split: SplitName = "test",
    match: Match = "partial",
) -> Evaluation:
    """Scores predictions as every run's are scored, under both match rules and by slice.

    Args:
        dataset: as `load_dataset` gives it.
        predictions: of each example of the split, in its order, in word offsets.
        split: of the dataset.
        match: the rule by which slices of triples are told.

    Raises:
        SuiteError: there are not as many as the split has examples.
    """
    examples = {s.name: s for s in dataset.splits}[split].examples
    if len(examples) != len(predictions):
        raise SuiteError(
            f"predictions of {len(predictions):,} examples, where {split} has {len(examples):,}",
            where=dataset.name,
            remedy="Give a list for each example, an empty one where nothing is predicted.",
        )
    known = dataset.wordings_in_train
    found, _ = evaluate_in_slices(
        examples, predictions, dataset.task, dataset.matching, match, known
    )
    return found


class Frames(NamedTuple):
    """What a suite left, as pandas frames.

    Attributes:
        runs: one row per run, as `results.csv`: scores are shares, costs carry their unit.
        epochs: one row per epoch of a run: loss, dev F1 under both match rules, seconds.
        operating: one row per operating point of systems that exit early.
    """

    runs: pd.DataFrame
    epochs: pd.DataFrame
    operating: pd.DataFrame


def read_results(out: str | Path) -> Frames:
    """The records of a suite's folder as frames.

    Raises:
        SuiteError: the folder is not a suite's, or a record cannot be read.
    """
    from reports.load import load_results  # noqa: PLC0415 - heavy
    from reports.tables_csv import operating_frame, results_frame  # noqa: PLC0415

    results = load_results(Path(out))
    epochs = [
        {
            "system": run.record.system.key,
            "dataset": run.record.dataset.name,
            "seed": run.record.seed,
            "epoch": epoch.epoch,
            "step": epoch.step,
            "loss": epoch.loss,
            "dev_partial_f1": epoch.dev.partial.f1,
            "dev_exact_f1": epoch.dev.exact.f1,
            "seconds": epoch.seconds,
            "best": epoch.best,
        }
        for group in results.groups
        for row in group.rows
        for run in row.runs
        for epoch in run.history
    ]
    return Frames(results_frame(results), pd.DataFrame(epochs), operating_frame(results))
