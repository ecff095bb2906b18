"""What the commands can be asked for: every option once, as a field of a dataclass.

Help, command line, configuration file, request and record are all made from these fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from runners.runs.plan import WandbMode
from suite.modelling.keep_vectors import KeepVectors
from suite.privacy import without_home
from suite.tasks.matching import Match

SEEDS = 3
SYNTHETIC_EPOCHS, SYNTHETIC_SEEDS = 21, 1
"""Enough for its 2,000 sentences, so that the command without arguments takes minutes."""
EPOCHS, PATIENCE = 60, 10
MIN_STEPS, MIN_PATIENCE_STEPS = 1000, 300

DATA, SYSTEMS, TRAINING = "Data", "Systems", "Training"
SEARCH, RESOURCES = "Search", "Vectors, encoders, parsers"
MACHINE, OUTPUT = "Machine", "Output"
PANELS = (DATA, SYSTEMS, TRAINING, SEARCH, RESOURCES, MACHINE, OUTPUT)


@dataclass(frozen=True)
class Declared:
    """How a command line shows an option.

    Attributes:
        text: its help.
        name: on the command line; None: the field's, with dashes.
        shown: its default in the help, where the field's own says nothing.
        least, most: bounds of a number.
        panel: under which heading the help lists it.
        kind: what a refusal calls its value, where it is one of a `Literal`.
        positional: whether it is an argument without a name.
        recorded: whether it is part of what a command can be given again by.
    """

    text: str
    name: str | None = None
    shown: str | None = None
    least: float | None = None
    most: float | None = None
    panel: str = OUTPUT
    positional: bool = False
    kind: str = "value"
    recorded: bool = True


def option(default: Any, text: str, **how: Any) -> Any:
    """A field that is an option; see `Declared`. Without a default it has to be given."""
    metadata = {"declared": Declared(text, **how)}
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class DatasetOptions:
    """Where datasets are, and how their texts are read."""

    data_dir: Path | None = option(
        None, "Folder that holds datasets by name.", shown="$RE_DATA_DIR, cache", panel=DATA
    )
    words: str | None = option(
        None,
        "How texts that their files do not split become words: characters, or spacy:LANG for the "
        "rules of a language.",
        shown="at white space",
        panel=DATA,
    )


@dataclass(frozen=True, kw_only=True)
class DeviceOptions:
    """Where something computes."""

    device: str = option(
        "auto",
        "cpu, cuda, cuda:1, mps; auto: the first GPU where there is one, else the CPU.",
        panel=MACHINE,
    )


@dataclass(frozen=True, kw_only=True)
class ThreadsOptions:
    """With how many threads."""

    threads: int | None = option(None, "CPU threads.", shown="one per core", least=1, panel=MACHINE)


@dataclass(frozen=True, kw_only=True)
class RayOptions:
    """Whether Ray carries it out, and where."""

    ray: bool = option(False, "Carry it out on Ray, on this machine or a cluster.", panel=MACHINE)
    ray_address: str | None = option(
        None, "Address of a Ray cluster, as auto or ray://HOST:10001; implies --ray.", panel=MACHINE
    )

    @property
    def on_ray(self) -> bool:
        """Whether Ray was asked for."""
        return self.ray or self.ray_address is not None


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which trained model is used."""

    model: Path = option(
        MISSING, "Folder of a trained model, or of a complete run.", positional=True
    )


@dataclass(frozen=True, kw_only=True)
class RunOptions(DatasetOptions, DeviceOptions):
    """What runs are made from, whichever command asks for them."""

    train_share: float = option(
        1.0,
        "Part of the training examples, chosen by hash: 0.1 lies within 0.5.",
        least=0.0001,
        most=1.0,
        panel=DATA,
    )
    pretrained: str | None = option(
        None,
        "Encoder of the systems that need one: a hub name, a folder, minilm, or untrained.",
        shown="bert-base-cased; untrained for synthetic",
        panel=RESOURCES,
    )
    parser: str | None = option(
        None,
        "Dependency parser of the systems that need one: a spaCy pipeline by name or folder, or "
        "chain (none).",
        shown="en_core_web_sm; chain for synthetic",
        panel=RESOURCES,
    )
    vectors: Path | None = option(
        None,
        "Word vectors as GloVe's text, .gz or .zip.",
        shown="random, trained",
        panel=RESOURCES,
    )
    train_vectors: bool = option(False, "Train the vectors of --vectors as well.", panel=RESOURCES)
    keep_vectors: KeepVectors = option(
        "first",
        "Vectors that a run's model keeps: of the file's first 400,000 words besides those of the "
        "dataset's words, or dataset: those alone.",
        kind="choice of kept vectors",
        panel=RESOURCES,
    )
    wandb: WandbMode = option("offline", "offline, online or off.", kind="mode of W&B")
    dry_run: bool = option(False, "Print the plan and stop.", recorded=False)


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """What the protocol is made from."""

    patience: int | None = option(
        None,
        "Epochs without a better dev F1 before training stops.",
        shown=f"{PATIENCE}, and {MIN_PATIENCE_STEPS} steps at least",
        least=1,
        panel=TRAINING,
    )
    match: Match = option(
        "partial",
        "Match rule of triples that selects: partial or exact.",
        kind="match rule",
        panel=TRAINING,
    )
    set_: list[str] | None = option(
        None,
        "SYSTEM.FIELD=VALUE; repeatable, as fastre.gate=none.",
        name="set",
        panel=SYSTEMS,
    )
    protocol: list[str] | None = option(
        None,
        "FIELD=VALUE of the protocol; repeatable, as pretrained_learning_rate=1e-4. The report "
        "prints all of it.",
        panel=TRAINING,
    )
    precision: Literal["float32", "bfloat16"] = option(
        "float32", "float32 or bfloat16 (autocast).", kind="precision", panel=MACHINE
    )


@dataclass(frozen=True, kw_only=True)
class CarriedOutOptions(RunOptions, RayOptions):
    """How the runs of a suite are carried out, too."""

    memory: float = option(
        2.0, "GiB of memory that a run asks its node for, on Ray.", least=0.0, panel=MACHINE
    )

    workers: int = option(
        1,
        "Runs at a time, each with --threads; what is timed still runs alone.",
        least=1,
        panel=MACHINE,
    )
    remeasure: bool = option(
        False,
        "Measure inference of complete runs again, as where other work ran beside it.",
        panel=MACHINE,
    )
    replace: bool = option(
        False, "Replace complete runs of other settings in OUT; else they are kept."
    )


@dataclass(frozen=True, kw_only=True)
class SuiteOptions(CarriedOutOptions, TrainingOptions, ThreadsOptions):
    """Of `run-suite`."""

    dataset: list[str] | None = option(
        None,
        "Name or folder; repeatable. See --list.",
        shown="all synthetic ones",
        panel=DATA,
    )
    system: list[str] | None = option(
        None,
        "Name, or YAML file of a system and its settings; repeatable. See --list.",
        shown="all",
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
    out: Path = option(Path("runs"), "Folder for records and report.")
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
class ReportOptions:
    """Of `build-report`."""

    folder: list[Path] | None = option(
        None,
        "What run-suite wrote; several are joined into --out.",
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


def declared(options: type) -> dict[str, Declared]:
    """The options of a dataclass by field; fields that are none are left out."""
    return {f.name: f.metadata["declared"] for f in fields(options) if f.metadata}


def spelt(name: str, how: Declared) -> str:
    """An option as the command line and configuration files spell it, without dashes before it."""
    return how.name or name.replace("_", "-")


def as_configuration(options: Any) -> dict[str, Any]:
    """What was asked for beyond the defaults, as a configuration file holds it."""
    found: dict[str, Any] = {}
    known: Mapping[str, Declared] = declared(type(options))
    for each in fields(options):
        how, value = known.get(each.name), getattr(options, each.name)
        if how is not None and how.recorded and value != each.default:
            found[spelt(each.name, how)] = _kept(value)
    return found


def _kept(value: Any) -> Any:
    if isinstance(value, list):
        return [_kept(one) for one in value]
    return without_home(str(value)) if isinstance(value, Path | str) else value


def shared(options: Any, other: type) -> dict[str, Any]:
    """The values of the options that another dataclass has as well."""
    return {name: getattr(options, name) for name in declared(other)}
