"""What a study of cost by size sets out to measure, and what was measured at each size."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from suite.files import StrictModel, read_model, write_atomically
from suite.protocol import Precision
from suite.records.run import FORMAT, Environment
from suite.studies.sizes import Size, SizeStudy

PLAN = "sizes.json"
RECORD = "record.json"
Kind = Literal["training", "inference"]
Reason = Literal["memory", "time", "not tried", "mistake"]
KINDS: tuple[Kind, ...] = ("training", "inference")
_REMEDY = "Delete the folder and run the study again, or read it with the version that wrote it."


class Measurement(StrictModel):
    """What one process measured, or why it did not.

    Attributes:
        kind: a step of training, or inference from words to predictions.
        seconds: of a batch, the median.
        decoding_seconds: of inference, what comes after the encoder: from words' vectors to
            triples, the median; None of training, and of a system that calls no module `encoder`.
        repeats: of which they are one.
        memory_bytes: the most that was held besides `held_bytes`.
        held_bytes: by the process with a built system, before its first batch.
        gold: triples of the batch.
        predicted: triples, at inference.
        fitted: whether the system finds about as many triples as the batch has, so that it decodes
            as a trained one does; False where steps of training gave no figures, or were too few.
        failure: why there are no figures; None where there are.
        reason: which kind of failure: a limit of memory or time, not tried after one at a smaller
            size, or a mistake.
    """

    kind: Kind
    seconds: float | None = None
    decoding_seconds: float | None = None
    repeats: int = 0
    memory_bytes: int | None = None
    held_bytes: int | None = None
    gold: int | None = None
    predicted: int | None = None
    fitted: bool = True
    failure: str | None = None
    reason: Reason | None = None


class SizeSystem(StrictModel):
    """A system under its settings.

    Attributes:
        name: of the system.
        variant: what it is called in tables and folders.
        title: as tables print it.
        settings: that differ from the defaults.
        pretrained: name of its encoder; None without one.
        encoder: what the encoder is, as reports print it.
    """

    name: str
    variant: str
    title: str
    settings: dict[str, Any]
    pretrained: str | None
    encoder: str


class SizePoint(StrictModel):
    """All that decides a measurement; an equal one is not made again."""

    format: Literal[2] = FORMAT
    version: str
    study: SizeStudy
    system: SizeSystem
    size: Size
    device: str
    threads: int
    precision: Precision


class SizeRecord(StrictModel):
    """What was measured of a system at a size."""

    format: Literal[2] = FORMAT
    point: SizePoint
    environment: Environment
    parameters: int | None
    measured: tuple[Measurement, ...]

    def of(self, kind: Kind) -> Measurement:
        """The measurement of a kind."""
        return next(m for m in self.measured if m.kind == kind)


class SizePlan(StrictModel):
    """What one command set out to measure; written before the first measurement."""

    format: Literal[2] = FORMAT
    version: str
    created: str
    command: tuple[str, ...]
    study: SizeStudy
    systems: tuple[SizeSystem, ...]
    environment: Environment
    threads: int
    precision: str

    def holds(self, record: SizeRecord) -> bool:
        """Whether a record was measured as this command measures, and on such a machine."""
        point = record.point
        return (
            (point.version, point.study) == (self.version, self.study)
            and (point.threads, point.precision) == (self.threads, self.precision)
            and point.system in self.systems
            and record.environment.place == self.environment.place
        )


def folder_of(out: Path, system: SizeSystem, size: Size) -> Path:
    """Where a measurement's files lie."""
    return out / "sizes" / system.variant / f"{size.words}-{size.relations}"


def write_model(path: Path, content: StrictModel) -> None:
    """Writes one of these, whole or not at all."""
    write_atomically(path, content.model_dump_json(indent=1))


def read_size_plan(path: Path) -> SizePlan:
    """Reads a `sizes.json`.

    Raises:
        SuiteError: the file cannot be read, or is not a plan of this format.
    """
    return read_model(path, SizePlan, "plan of sizes", form=FORMAT, remedy=_REMEDY)


def read_size_record(path: Path) -> SizeRecord:
    """Reads the record of a size.

    Raises:
        SuiteError: the file cannot be read, or is not a record of this format.
    """
    return read_model(path, SizeRecord, "record", form=FORMAT, remedy=_REMEDY)
