"""Published figures: what they measure, and how a table's printed lines are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, JsonValue, model_validator

from suite.errors import unknown
from suite.files import StrictModel
from suite.modelling.encoder_kind import EncoderFamily, EncoderKind
from suite.tasks.matching import Match

Form = Literal["whole names", "last words", "whole names, tagged by the paper", "not stated"]
"""How gold names its entities: by all their words; by the last word alone (the star form of NYT24
and WebNLG); by all their words, which the paper's authors tagged themselves, so that nobody else's
gold is the same; or the paper does not say."""

Comparison = Literal["system", "variant"]
"""Whom a table's figures are compared with: every measured run of a row's system under the row's
settings; or the runs of the study's own variants alone, as in ablations and searches, whose rows
say what they change and not what they hold."""

PER_CENT = "%"
MEASURES: dict[str, str] = {
    "precision": PER_CENT,
    "recall": PER_CENT,
    "f1": PER_CENT,
    "ign_f1": PER_CENT,
    "auc": PER_CENT,
    "ign_auc": PER_CENT,
    "f1_difference": "points of F1 over the full model",
    "theta": "probability",
    "best_epoch": "epochs",
    "best_epoch_f1": PER_CENT,
    "best_epoch_auc": PER_CENT,
    "parameters_thousands": "thousands",
    "train_minutes": "min",
    "step_milliseconds": "ms per training step",
    "steps": "training steps",
    "inference_seconds": "s for the whole test set",
    "milliseconds_1": "ms per instance at batch 1",
    "milliseconds_8": "ms per instance at batch 8",
    "milliseconds_24": "ms per instance at batch 24",
    "milliseconds_128": "ms per instance at batch 128",
    "speed_up": "times as quick as at full depth",
}
"""Measure -> unit."""

TIMES = frozenset(m for m, unit in MEASURES.items() if unit.split()[0] in {"min", "ms", "s"})


def refused(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """What pydantic is told of a name that nothing answers to."""
    return ValueError(str(unknown(kind, name, known)).rstrip("."))


def _measure(name: str) -> str:
    if name not in MEASURES:
        raise refused("measure", name, MEASURES)
    return name


Measure = Annotated[str, AfterValidator(_measure)]
"""A key of `MEASURES`."""


@dataclass(frozen=True)
class Figure:
    """The published numbers of a row on one dataset: the one type of a published figure.

    Attributes:
        source: the paper in which they are printed.
        tables: the places there, in the order of the studies.
        row: its name there.
        variant: that of the study to which it answers; None: nothing that the suite has, or the
            paper's text does not tell which.
        system: the suite's name of the variant's system; None where there is no variant.
        settings: setting of that system -> values under which it is the published one; settings
            that are not named are free.
        batch_size: sentences or documents per training step; None where not stated.
        train_share: part of the training examples that was used.
        compared_by: which measured runs it may stand beside, as of its `Study`.
        reference: whether it is the figure of its study's full model.
        dataset: the suite's name.
        split: what was scored.
        match: under which rule; None where its task has one rule alone, or nothing is scored.
        form: of the entities in gold; None for the tasks `docre` and `ner`.
        encoder: what reads the words; "not stated" where it is not.
        kind: of that encoder; None where not stated.
        family: of that encoder, where figures of another one must not be taken for it; None: any
            of the others.
        origin: who ran it, where that is not the authors of the source.
        device: of its times; None where there are none, or it is not stated.
        digits: decimals with which its scores are printed in per cent.
        numbers: measure -> value, of those that are printed; units in `MEASURES`.
    """

    source: str
    tables: tuple[str, ...]
    row: str
    variant: str | None
    system: str | None
    settings: Mapping[str, tuple[JsonValue, ...]]
    batch_size: int | None
    train_share: float
    compared_by: Comparison
    reference: bool
    dataset: str
    split: Literal["dev", "test"]
    match: Match | None
    form: Form | None
    encoder: str
    kind: EncoderKind | None
    family: EncoderFamily | None
    origin: str
    device: str | None
    digits: int
    numbers: Mapping[str, float]

    @property
    def table(self) -> str:
        """All places in the source at which it is printed."""
        return "; ".join(self.tables)

    @property
    def splits(self) -> tuple[str, str]:
        """Those that must be the published ones where a measured figure stands beside it."""
        return "train", self.split

    def printed(self, measure: str) -> str:
        """A score with the digits of the paper; "-" where it is not printed."""
        value = self.numbers.get(measure)
        return "-" if value is None else f"{value:.{self.digits}f}"


class RowFacts(StrictModel):
    """What is known of a row besides its numbers.

    Attributes:
        variant: of the study, to which it answers.
        encoder, kind, family: as of a `Figure`.
        origin: who ran it, where that is not as in the rest of its part.
    """

    variant: str | None = None
    encoder: str = "not stated"
    kind: EncoderKind | None = None
    family: EncoderFamily | None = None
    origin: str | None = None


class PrintedLine(StrictModel):
    """A printed line: in the file, a list of the row's name and its numbers.

    Attributes:
        row: its name.
        numbers: as printed; None where none is.
    """

    row: str
    numbers: tuple[float | None, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, line: Any) -> Any:
        if isinstance(line, dict):  # from the record of a suite
            return line
        if not isinstance(line, list) or not line:
            raise ValueError("is not a list of a row's name and its numbers")
        return {"row": line[0], "numbers": line[1:]}


class Part(StrictModel):
    """Lines of a table that are read in one way.

    Attributes:
        lines: in the order of print.
        datasets: whose numbers stand in a line, one dataset after the other; empty: the study's.
        measures: of each of these datasets; empty: the study's.
        match, split: as of a `Figure`.
        form: where it is not the study's for these datasets.
        unit: in which F1, AUC and the like are printed.
        source, table: where the lines are from, where that is not the study's.
        origin: who ran them, where that is not the authors of the source.
        compared_by: where it is not the study's, as for rows that repeat another paper's figures.
    """

    lines: tuple[PrintedLine, ...]
    datasets: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    match: Match | None = None
    split: Literal["dev", "test"] = "test"
    form: Form | None = None
    unit: Literal["per cent", "share"] = "per cent"
    source: str | None = None
    table: str | None = None
    origin: str = ""
    compared_by: Comparison | None = None

    def numbers(
        self, datasets: Sequence[str], measures: Sequence[str]
    ) -> Iterator[tuple[str, str, dict[str, float]]]:
        """Dataset, row, and what is printed of it there; dataset by dataset.

        Args:
            datasets: those of the study.
            measures: likewise.
        """
        measures = self.measures or measures
        for i, dataset in enumerate(self.datasets or datasets):
            for line in self.lines:
                printed = line.numbers[i * len(measures) : (i + 1) * len(measures)]
                found = {
                    measure: self._in_its_unit(measure, value)
                    for measure, value in zip(measures, printed, strict=True)
                    if value is not None
                }
                if found:
                    yield dataset, line.row, found

    @property
    def digits(self) -> int:
        """Decimals of its scores in per cent, as printed."""
        longest = max(
            (len(str(n).partition(".")[2]) for line in self.lines for n in line.numbers if n),
            default=1,
        )
        return max(0, longest - 2) if self.unit == "share" else longest

    def _in_its_unit(self, measure: str, value: float) -> float:
        if self.unit == "share" and MEASURES[measure] == PER_CENT:
            return round(100 * value, 6)  # without the tail of a binary fraction
        return value
