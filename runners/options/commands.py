"""What each command can be asked for.

Help, command line, configuration file, request and record are all made from these fields.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Literal

from runners.options.declared import DATA, MACHINE, OUTPUT, SEARCH, SYSTEMS, TRAINING, option
from runners.options.groups import (
    EPOCHS,
    MIN_STEPS,
    SEEDS,
    SYNTHETIC_EPOCHS,
    SYNTHETIC_SEEDS,
    CarriedOutOptions,
    DatasetOptions,
    DeviceOptions,
    ModelOptions,
    PricesOptions,
    RayOptions,
    RunOptions,
    ThreadsOptions,
    TrainingOptions,
)
from suite.records.search import PrunerName
from suite.tasks.matching import Match


@dataclass(frozen=True, kw_only=True)
class SuiteOptions(CarriedOutOptions, TrainingOptions, ThreadsOptions, PricesOptions):
    """Of `run-suite`."""

    dataset: list[str] | None = option(
        None,
        "Name or folder; repeatable. See --list.",
        shown="all synthetic ones",
        panel=DATA,
    )
    system: list[str] | None = option(
        None,
        "Name, or YAML file of a system and its settings; repeatable; all for each. See --list.",
        shown="all; fastre, casrel, bert_docred, fastner, retention for synthetic",
        panel=SYSTEMS,
    )
    study: str | None = option(
        None,
        "A paper's table, by name (see --list) or YAML file: runs its variants.",
        panel=SYSTEMS,
    )
    settings: Literal["identical", "published"] = option(
        "identical",
        "identical: one protocol for all; published: each paper's own.",
        kind="settings",
        panel=SYSTEMS,
    )
    seeds: str | None = option(
        None,
        "Runs per system and dataset (3: seeds 0, 1, 2), or the seeds themselves (4,5,6).",
        shown=f"{SEEDS}; {SYNTHETIC_SEEDS} for synthetic",
        panel=TRAINING,
    )
    epochs: int | None = option(
        None,
        "Epochs at most.",
        shown=f"{EPOCHS}, and {MIN_STEPS:,} steps at least; {SYNTHETIC_EPOCHS} for synthetic",
        least=1,
        panel=TRAINING,
    )
    accumulate: int = option(
        1, "Parts of a step's batch, where memory is short.", least=1, panel=MACHINE
    )
    out: str = option("runs", "Folder for records and report, or its URL, as s3://bucket/path.")
    no_estimate: bool = option(
        False,
        "Print the plan without the time that it will take, which is told by some steps of each "
        "system.",
        recorded=False,
    )
    list_: bool = option(
        False,
        "Print systems, datasets and studies and stop.",
        name="list",
        recorded=False,
    )


@dataclass(frozen=True, kw_only=True)
class SearchOptions(RunOptions, TrainingOptions, RayOptions):
    """Of `search-structure`."""

    dataset: str = option(MISSING, "Name or folder. See run-suite --list.", panel=DATA)
    system: str = option(
        "fastre", "Name, or YAML file of a system and its settings.", panel=SYSTEMS
    )
    trials: int = option(50, "Structures tried for dev F1, with pruning.", least=1, panel=SEARCH)
    trade_offs: int | None = option(
        None,
        "Structures tried after that for dev F1, latency and parameters at once.",
        shown="half of --trials",
        least=0,
        panel=SEARCH,
    )
    pruner: PrunerName = option(
        "median",
        "By which trials for dev F1 are ended early: the median, (successive) halving, hyperband, "
        "none.",
        panel=SEARCH,
    )
    check: int = option(
        0,
        "Structures trained to the end besides, to see whether short trials order them alike.",
        least=0,
        panel=SEARCH,
    )
    check_epochs: int | None = option(
        None, "Epochs of those.", shown="three times --epochs", least=2, panel=SEARCH
    )
    warm_start: Path | None = option(
        None, "Folder of another search, whose best structures are tried early.", panel=SEARCH
    )
    finalists: int = option(
        3,
        "Structures trained again over --seeds, and tested; 0: those of another command with the "
        "same --storage.",
        least=0,
        panel=SEARCH,
    )
    seeds: str = option(
        str(SEEDS),
        "Runs of each finalist (3: seeds 0, 1, 2), or the seeds themselves (4,5,6).",
        panel=SEARCH,
    )
    max_latency: float | None = option(
        None, "Milliseconds per sentence that a structure may take.", least=0, panel=SEARCH
    )
    latency_batch: int = option(1, "Sentences at once for that latency.", least=1, panel=SEARCH)
    max_memory: float | None = option(
        None, "MiB that training a structure may take.", least=0, panel=SEARCH
    )
    storage: str | None = option(
        None,
        "Database of the trials, for many machines, as postgresql://user:password@host/name.",
        shown="a journal in --out",
        panel=SEARCH,
    )
    name: str | None = option(None, "Name in the storage.", shown="SYSTEM-DATASET", panel=SEARCH)
    sampler_seed: int = option(0, "Of Optuna's sampler.", least=0, most=2**32 - 1, panel=SEARCH)
    epochs: int = option(EPOCHS, "Epochs of a training at most.", least=1, panel=TRAINING)
    workers: int = option(
        1,
        "Processes on this machine, or actors on Ray; they share --threads.",
        least=1,
        panel=MACHINE,
    )
    threads: int | None = option(
        None, "CPU threads of all workers.", shown="one per core", least=1, panel=MACHINE
    )
    out: Path = option(Path("search"), "Folder for trials, finals and report.")


@dataclass(frozen=True, kw_only=True)
class ExplainOptions:
    """Of `explain-run`."""

    folder: Path = option(
        MISSING,
        "OUT/runs/SYSTEM/DATASET/SEED of a complete run.",
        name="run-folder",
        positional=True,
    )
    sentence: list[str] | None = option(
        None,
        "Id of a test sentence to draw, as in predictions.jsonl; repeatable.",
        shown="the first that hold triples",
    )
    count: int = option(4, "Sentences to draw where none is named.", least=1)
    max_length: int = option(30, "Their length at most, in words.", least=1)
    heads: bool = option(False, "Draw each head of an attention, not their mean alone.")
    parser: str = option(
        "chain",
        "Dependency parser that predicate words are found with: a spaCy pipeline by name or "
        "folder, or chain (none).",
    )
    out: Path | None = option(None, "Folder for the files.", shown="RUN_FOLDER/explain")


@dataclass(frozen=True, kw_only=True)
class ReportOptions(PricesOptions):
    """Of `build-report`."""

    folder: list[Path] | None = option(
        None,
        "What run-suite wrote, or files of evidence of it; several are joined into --out.",
        shown="runs",
        positional=True,
    )
    out: Path | None = option(
        None, "New folder for the joined runs of several folders, and their report."
    )
    apart: bool = option(
        False,
        "Join folders whose runs differ at one place, too: rows of their own are named by their "
        "folders.",
    )
    evidence: Path | None = option(
        None,
        "File, evidence.json.gz, for what judge-claims reads: the records, and counts of each "
        "example without its words.",
    )
    predictions: list[str] | None = option(
        None,
        "NAME=FILE of predictions of a system that was not trained here, to be scored beside those "
        "that were; repeatable, and NAME@DATASET=FILE where several datasets fit.",
        panel=SYSTEMS,
    )
    about: list[Path] | None = option(
        None,
        "NAME.yaml of what is stated of such a system: title, citation, costs; repeatable.",
        panel=SYSTEMS,
    )
    data_dir: Path | None = option(
        None, "Folder that holds datasets by name.", shown="as when they were run", panel=DATA
    )
    max_latency: float | None = option(
        None,
        "Name the best system that takes no more milliseconds per example, at the least batch.",
        least=0,
    )
    max_memory: float | None = option(
        None, "Name the best system whose inference holds no more MiB there.", least=0
    )
    min_f1: float | None = option(
        None, "Name the systems whose test F1 is no less, in per cent.", least=0
    )


@dataclass(frozen=True, kw_only=True)
class ClaimsOptions:
    """Of `judge-claims`."""

    evidence: list[Path] | None = option(
        None,
        "Files of evidence, folders that hold such, or what run-suite wrote.",
        shown="docs/results",
        positional=True,
    )
    out: Path = option(
        Path("docs/claims.md"), "The page; claims.json, with the runs, lies beside it."
    )


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(DatasetOptions):
    """Of `score-predictions`."""

    dataset: str = option(
        MISSING, "Name or folder. See run-suite --list.", positional=True, panel=DATA
    )
    file: Path = option(MISSING, "Predictions; see docs/outside.md.", positional=True, panel=DATA)
    match: Match = option(
        "partial",
        "Match rule of triples that slices are told by: partial or exact.",
        kind="match rule",
    )
    json_: Path | None = option(None, "File for the scores as JSON.", name="json")


@dataclass(frozen=True, kw_only=True)
class ExtractOptions(ModelOptions, DeviceOptions, ThreadsOptions, RayOptions):
    """Of `extract-relations`."""

    input: list[str] | None = option(
        None,
        "Files (.txt, .md: a text per line; .jsonl, .json; each also as .gz; .parquet), folders of "
        "them, or - for standard input, line by line.",
        shown="-",
        positional=True,
    )
    text_field: str | None = option(
        None,
        "Field or column that holds the text; with it, standard input is JSON lines.",
        shown="text",
        panel=DATA,
    )
    whole_files: bool = option(False, "A text file is one text, not one per line.", panel=DATA)
    language: str | None = option(
        None,
        "Language of the texts, whose rules (spaCy's) split them: en, de, ...; zh and ja are split "
        "by character.",
        shown="as the model's data; else en",
        panel=DATA,
    )
    pretokenised: bool = option(
        False, "Words stand between white space, and a text is one sentence.", panel=DATA
    )
    entities: Path | None = option(
        None,
        "Folder of a model that finds the entities of texts, where MODEL finds facts between them.",
        panel=DATA,
    )
    min_score: float | None = option(
        None, "Leave out what scores less.", shown="all", least=0, most=1, panel=OUTPUT
    )
    min_precision: float | None = option(
        None,
        "Leave out what scores less than the score from which upwards predictions on dev were as "
        "precise.",
        least=0,
        most=1,
        panel=OUTPUT,
    )
    with_text: bool = option(False, "Rows hold their text.", panel=OUTPUT)
    batch_size: int = option(
        128, "Sentences, or documents, that are read at once.", least=1, panel=MACHINE
    )
    actors: int | None = option(
        None,
        "Actors that each hold the model, with --threads each (1 by default).",
        shown="as many as there are cores",
        least=1,
        panel=MACHINE,
    )
    engine: Literal["torch", "onnx"] = option(
        "torch", "What computes: torch or onnx.", kind="engine", panel=MACHINE
    )
    out: Path = option(
        Path("-"),
        "File of the rows, .jsonl or .parquet; - for standard output.",
        shown="-",
        panel=OUTPUT,
    )


@dataclass(frozen=True, kw_only=True)
class ExportOptions(ModelOptions):
    """Of `export-model`."""

    to: Literal["onnx"] = option("onnx", "The form: onnx.", kind="form", panel=OUTPUT)
