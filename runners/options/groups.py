"""Options that several commands have, each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from pathlib import Path

from runners.options.declared import DATA, MACHINE, RESOURCES, SYSTEMS, TRAINING, option
from runners.runs.plan import WandbMode
from suite.modelling.keep_vectors import KeepVectors
from suite.protocol import Precision
from suite.tasks.matching import Match

SEEDS = 3
EVERY = "all"
FIRST_SYSTEMS: Mapping[str, tuple[str, ...]] = {
    "fastre": (),
    "casrel": (),
    "bert_docred": ("synthetic-documents",),
    "fastner": (),
    "retention": (),
}
"""What the command without arguments trains, and on which of the synthetic corpora; empty: on all
whose task it does. One or two for each task, and the floor beneath them."""
SYNTHETIC_EPOCHS, SYNTHETIC_SEEDS = 7, 1
"""Enough to see which system learns what, in the four minutes that the command without arguments
has on two quick cores; none has converged by then, as the report says."""
EPOCHS, PATIENCE = 60, 10
MIN_STEPS, MIN_PATIENCE_STEPS = 1000, 300
RAY_MEMORY = 2.0
"""GiB that a run asks a node of a cluster for."""


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
class PricesOptions:
    """What the report makes costs of."""

    prices: Path | None = option(
        None, "YAML file of what an hour of a machine costs: the report tells costs in money."
    )


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
    tracker: str = option(
        "wandb",
        "Who is told of the runs besides: wandb, mlflow, tensorboard or none; in the folders of "
        "the runs, nothing is sent.",
    )
    wandb: WandbMode = option(
        "offline",
        "offline or online, which uploads; with --tracker wandb.",
        kind="mode of W&B",
        former={"off": "--tracker none tracks nothing."},
    )
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
    precision: Precision = option(
        "float32", "float32 or bfloat16 (autocast).", kind="precision", panel=MACHINE
    )


@dataclass(frozen=True, kw_only=True)
class CarriedOutOptions(RunOptions, RayOptions):
    """How the runs of a suite are carried out, too."""

    memory: float | None = option(
        None,
        "GiB of memory that a run asks its node for, with --ray.",
        shown=f"{RAY_MEMORY:g}",
        least=0.0,
        panel=MACHINE,
    )
    workers: int = option(
        1,
        "Runs at a time, each with --threads; what is timed still runs alone.",
        least=1,
        panel=MACHINE,
    )
    swap_entities: str | None = option(
        None,
        "Score test besides with other names of its entities: train, whose names are taken, or a "
        "YAML file of names by type.",
        shown="not",
        panel=DATA,
    )
    remeasure: bool = option(
        False,
        "Measure inference of complete runs again, as where other work ran beside it.",
        panel=MACHINE,
    )
    replace: bool = option(
        False, "Replace complete runs of other settings in OUT; else they are kept."
    )
