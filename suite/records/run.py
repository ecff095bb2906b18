"""The record of a run: the one thing that reports are made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, model_validator

from suite.files import StrictModel, read_lines, read_model, write_atomically
from suite.modelling.encoder_kind import EncoderKind
from suite.protocol import Protocol
from suite.records.energy import Energy
from suite.tasks.examples import TaskName
from suite.tasks.scores import Evaluation, Scores

FORMAT: Final = 2
"""Changes whenever a field changes its meaning; records of two formats share no table."""
PREDICTIONS: Final = "predictions.jsonl"
DEV_PREDICTIONS: Final = "predictions-dev.jsonl"
SWAPPED_PREDICTIONS: Final = "predictions-swapped.jsonl"
"""Files of a run's folder, a line for each example of test, of dev, and of `SwappedTest`."""


class Epoch(StrictModel):
    """One line of `history.jsonl`.

    Attributes:
        seconds: wall clock of training since the first step of the run, evaluation excluded.
        evaluation_seconds: wall clock of dev evaluation so far.
        step_seconds: median of the epoch's steps (data, forward, backward, optimiser).
        loss, parts, measures: means over the epoch's steps.
        gradient_norm: mean before clipping.
        learning_rate: of fresh parameters, after the epoch's last step.
    """

    epoch: int
    step: int
    seconds: float
    evaluation_seconds: float
    step_seconds: float
    loss: float
    parts: dict[str, float]
    measures: dict[str, float] = Field(default_factory=dict)
    gradient_norm: float
    learning_rate: float
    dev: Evaluation
    best: bool


class TrainingCost(StrictModel):
    """What training took; seconds are wall clock, evaluation apart.

    Of a system that memorises (`suite.systems.capabilities.Memorises`), epochs and steps are 0, and
    `training_seconds` are those of its look at train.

    Attributes:
        step_seconds: median of the epochs' medians; None where there was no step.
        seconds_to_best: training and evaluation until the chosen epoch was scored.
        seconds_to_target: dev F1 (as text) -> training and evaluation seconds until it was first
            reached; None where it never was.
        encode_seconds: encoding train and dev, once.
        peak_memory_bytes: of the process (CPU) or of the allocator (CUDA).
        load_average: one-minute load of the machine at the start and at the end of the run; above
            `threads` other work competed and times are too long.
        resumed: how often the run was cut off and went on.
        alone: whether no other run of the suite ran at that time; None where it is not known.
        energy: of training and dev evaluation; None in records of versions that did not count it,
            and where a run went on from an epoch of such a version.
    """

    epochs: int
    best_epoch: int
    steps: int
    steps_to_best: int
    training_seconds: float
    evaluation_seconds: float
    seconds_to_best: float
    step_seconds: float | None
    seconds_to_target: dict[str, float | None]
    encode_seconds: float
    peak_memory_bytes: int
    load_average: tuple[float, float]
    resumed: int
    alone: bool | None = None
    energy: Energy | None = None


class Place(StrictModel):
    """What times depend on and scores do not: a kind of machine, and the device of it."""

    machine: str
    processor: str
    cores: int
    memory_bytes: int
    device: str


class Latency(StrictModel):
    """Milliseconds per sentence: median and 95th percentile over batches of several passes."""

    median: float
    p95: float


class InferenceCost(StrictModel):
    """Words to predictions at one batch size, in a fresh process with the selected checkpoint.

    Attributes:
        sentences: or documents.
        total_seconds: median wall clock of a pass over the whole test split.
        stages: `encode`, `forward`, `decode` and `total`.
        alone: whether no other run of the command was under way meanwhile.
        node: name of the cluster's node that measured it; None where it was the machine of the
            command.
        place: the kind of machine that measured it; None where it is that of the run's environment.
        energy: of all passes, warm-up excluded; None in records of versions that did not count it.
        failure: why there are no figures, in the reader's words; None where there are.
    """

    batch_size: int
    sentences: int = 0
    passes: int = 0
    total_seconds: float | None = None
    stages: dict[str, Latency] = Field(default_factory=dict)
    peak_memory_bytes: int | None = None
    load_average: tuple[float, float] | None = None
    alone: bool | None = None
    node: str | None = None
    place: Place | None = None
    energy: Energy | None = None
    failure: str | None = None


class OperatingCost(StrictModel):
    """What a system reaches and takes at one of its operating points.

    All points of a run are measured in one fresh process, in turns, so that a busy moment of the
    machine strikes them alike.

    Attributes:
        rule, value: of `suite.systems.contract.OperatingPoint`; an empty rule is full depth.
        dev, test: scores under the rule that selects.
        layers: encoder layers that a test sentence took, mean.
        seconds: wall clock of a pass over the test split, a number for each pass.
    """

    rule: str
    value: float
    batch_size: int
    dev: Scores
    test: Scores
    layers: float
    seconds: tuple[float, ...]


class OperatingCurve(StrictModel):
    """The operating points of a run, or why there are none.

    Attributes:
        points: full depth first.
        alone: whether no other run of the command was under way meanwhile.
        node: name of the cluster's node that measured it; None where it was the machine of the
            command.
        place: as that of an `InferenceCost`.
        failure: in the reader's words.
    """

    points: tuple[OperatingCost, ...] = ()
    alone: bool | None = None
    node: str | None = None
    place: Place | None = None
    failure: str | None = None


class SwappedTest(StrictModel):
    """Scores on test sentences whose entities have other names (`suite.datasets.swapping`).

    Attributes:
        names: where they are from: `train`, or a file by name and content.
        seed: of the draws.
        by_part: whether a name stands in for one of the same part in relations, as there are no
            entity types.
        examples: of test.
        swapped: of them, with other names; the scores are over these.
        entities: with another name.
        left: why the others have none -> how many they are.
        before: scores on the same examples as they are.
        after: with the other names.
        failure: why there are no scores, in the reader's words; None where there are.
    """

    names: str
    seed: int = 0
    by_part: bool = False
    examples: int = 0
    swapped: int = 0
    entities: int = 0
    left: dict[str, int] = Field(default_factory=dict)
    before: Evaluation | None = None
    after: Evaluation | None = None
    failure: str | None = None


class Parameters(StrictModel):
    """Counts of numbers: all, those of word vectors, those that training changes."""

    total: int
    word_vectors: int
    trainable: int


Resource = Literal["vectors", "pretrained", "parser"]
"""What a system is built from besides its settings."""


class SystemFacts(StrictModel):
    """Who was trained, and from what."""

    name: str
    variant: str | None = Field(None, description="name of its settings; None for the system's own")
    title: str
    citation: str
    departures: tuple[str, ...]
    settings: dict[str, Any]
    vectors: str | None = Field(description="source of the word vectors; None where not used")
    vector_coverage: float | None = Field(description="share of training tokens that have one")
    pretrained: str | None = Field(description="source of the encoder; None where not used")
    parser: str | None = Field(None, description="source of the parser; None where not used")
    encoder_kind: EncoderKind = Field(
        "word vectors", description="what its encoder knew before training"
    )
    encoder_family: str | None = Field(
        None, description="architecture of its transformer; None where it has none"
    )
    fresh_weights: bool = Field(
        False, description="whether it took a pretrained transformer's architecture alone"
    )
    stand_ins: tuple[Resource, ...] = Field(
        (), description="what it was built from that is not what the papers used"
    )
    upper_bound: str | None = Field(
        None, description="what it is given that a system has to find; None for a system"
    )

    @model_validator(mode="after")
    def _kind_fits(self) -> SystemFacts:
        if (self.pretrained is None) != (self.encoder_kind == "word vectors"):
            raise ValueError(f"{self.encoder_kind!r} is not the encoder {self.pretrained!r}")
        return self

    @property
    def key(self) -> str:
        """What a suite's plan and folders call it."""
        return self.variant or self.name


class DatasetFacts(StrictModel):
    """What was trained on.

    Attributes:
        fingerprints: split -> SHA-256 over its examples; of a dev set cut from train as well.
        published: split -> whether it is the published one; None where nothing is published.
        matching: what a span is compared by: `offsets`, or `surface` where gold has none.
        notes: sentences that stand with every figure of this dataset.
    """

    name: str
    title: str
    task: TaskName
    fingerprints: dict[str, str]
    published: dict[str, bool | None]
    matching: Literal["offsets", "surface"]
    synthetic: bool
    notes: tuple[str, ...]


class Environment(StrictModel):
    """Where a run took place: the machine, and what ran on it."""

    machine: str
    processor: str
    cores: int
    memory_bytes: int
    device: str
    python: str
    versions: dict[str, str]
    git: str = Field(description="commit, with `+changes` where the work tree differs")

    @property
    def place(self) -> Place:
        """The kind of machine alone."""
        return Place.model_validate({name: getattr(self, name) for name in Place.model_fields})


Status = Literal["complete", "pruned", "diverged", "out of memory", "interrupted", "failed"]


class RunRecord(StrictModel):
    """One system, dataset and seed under one protocol.

    Attributes:
        configuration: hash over all that decides the scores; an equal one is not run again.
        node: name of the cluster's node that trained it; None where it was the machine of the
            command.
        failure: the reason, for every status but `complete`.
        test: None for documents that are not labelled, and for a search's trials.
        model: digest of the folder `model` that the run left; None where it left none.
        ceiling: what perfect scoring of the system's own targets would reach, per split.
        swapped: scores on entities with other names; None where that was not asked for.
    """

    format: Literal[2] = FORMAT
    configuration: str
    suite: str = Field(description="name of the suite, by which trackers group runs")
    system: SystemFacts
    dataset: DatasetFacts
    protocol: Protocol
    seed: int
    environment: Environment
    node: str | None = None
    started: str = Field(description="UTC, ISO 8601")
    status: Status
    failure: str | None = None
    parameters: Parameters | None = None
    training: TrainingCost | None = None
    dev: Evaluation | None = None
    test: Evaluation | None = None
    model: str | None = None
    ceiling: dict[str, Evaluation] = Field(default_factory=dict)
    inference: tuple[InferenceCost, ...] = ()
    operating: OperatingCurve | None = None
    swapped: SwappedTest | None = None

    def write(self, folder: Path) -> None:
        """Writes `record.json`, whole or not at all."""
        write_atomically(folder / "record.json", self.model_dump_json(indent=1))


def read_record(path: Path) -> RunRecord:
    """Reads a `record.json`.

    Raises:
        SuiteError: the file cannot be read, or is not a record of this format.
    """
    return read_model(
        path,
        RunRecord,
        "run record",
        form=FORMAT,
        remedy="Delete its folder to run it again, name another --out, or read it with the version "
        "of the suite that wrote it.",
    )


def read_history(folder: Path) -> list[Epoch]:
    """The epochs of a run's folder; none where it has no history yet.

    Raises:
        SuiteError: a line is not an epoch of this version.
    """
    path = folder / "history.jsonl"
    return list(read_lines(path, Epoch, "an epoch", grows=True)) if path.is_file() else []
