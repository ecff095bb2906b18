"""The record of a file of predictions: scored here, not trained here."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from suite.files import StrictModel, read_model, write_atomically
from suite.names import PlainTitle
from suite.records.run import FORMAT, DatasetFacts
from suite.tasks.matching import Match
from suite.tasks.scores import Evaluation, Scores

NOT_TRAINED: Final = "scored here, not trained here"
"""What tables say of such a row in place of seeds."""


class StatedLatency(StrictModel):
    """A time of inference as its user states it.

    Attributes:
        milliseconds: per sentence or document.
        machine: on which it was taken.
    """

    milliseconds: float = Field(gt=0, allow_inf_nan=False)
    batch_size: int = Field(1, ge=1)
    machine: str = Field(min_length=1)


class StatedTraining(StrictModel):
    """A time of training as its user states it."""

    minutes: float = Field(gt=0, allow_inf_nan=False)
    machine: str = Field(min_length=1)


class About(StrictModel):
    """What the user states of a system, `--about NAME.yaml`; nothing of it is measured here.

    Attributes:
        title: as tables print it; None: the name of `--predictions`.
        citation: a paper, or the model's name and version.
        encoder: what reads its words.
        parameters: all of them.
        notes: sentences that the report prints with the system, as on prompt and training data.
    """

    title: PlainTitle | None = None
    citation: str = ""
    encoder: str = ""
    parameters: int | None = Field(None, ge=1)
    training: StatedTraining | None = None
    latency: tuple[StatedLatency, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def states_costs(self) -> bool:
        """Whether it holds a figure of cost."""
        return bool(self.parameters or self.training or self.latency)


class BroughtIn(StrictModel):
    """How a file's records fit the test examples.

    Attributes:
        examples: of the test set.
        records: of the file.
        missing: examples without a record, for which nothing counts as predicted.
        silent: whether the form has no record for an example without predictions, so that `missing`
            may not be answered, or answered by nothing.
        doubled: records of an example that has one already; the first counts.
        unknown: records of no test example.
        items: predicted, repeated ones counted each time.
        unplaced: items whose words are not in the text; they count as predicted.
        ambiguous: items given by words that occur more than once, the first of which is taken; told
            where spans are compared by their place.
        by_words: scores under the rule that selects, were spans compared by their words; told where
            items are ambiguous.
        strange: relation or type that the dataset does not know -> items of it; the most frequent.
        strange_items: items of all such labels.
        other_gold: records whose own gold is not that of the example.
        samples: the first missing, doubled and unknown ones, in words.
    """

    examples: int
    records: int
    missing: int = 0
    silent: bool = False
    doubled: int = 0
    unknown: int = 0
    items: int = 0
    unplaced: int = 0
    ambiguous: int = 0
    by_words: Scores | None = None
    strange: dict[str, int] = Field(default_factory=dict)
    strange_items: int = 0
    other_gold: int = 0
    samples: dict[str, str] = Field(default_factory=dict)


class OutsideRecord(StrictModel):
    """One file of predictions of a system that was not trained here, scored on one test set.

    Attributes:
        name: of `--predictions NAME=FILE`.
        number: of the file, from 0, where the system has several.
        file: its name without folder.
        sha256: of its text, in UTF-8.
        form: what it is, as an error calls it.
        match: the protocol's rule, under which slices are told.
        gold: where gold was taken from, in words.
        scored: UTC, ISO 8601.
        version: of this package.
    """

    format: Literal[2] = FORMAT
    name: PlainTitle
    number: int = Field(0, ge=0)
    file: str
    sha256: str
    form: str
    about: About = About()
    dataset: DatasetFacts
    match: Match
    gold: str
    scored: str
    version: str
    brought: BroughtIn
    test: Evaluation

    @property
    def title(self) -> str:
        """As tables print it."""
        return self.about.title or self.name

    @property
    def seed(self) -> int:
        """The number of the file, which tables list as they list seeds."""
        return self.number

    @property
    def dev(self) -> None:
        """Nothing is known of dev."""
        return

    def write(self, folder: Path) -> None:
        """Writes `record.json`, whole or not at all."""
        write_atomically(folder / "record.json", self.model_dump_json(indent=1))


def read_outside_record(path: Path) -> OutsideRecord:
    """Reads the `record.json` of a file of predictions.

    Raises:
        SuiteError: the file cannot be read, or is not such a record of this format.
    """
    return read_model(
        path,
        OutsideRecord,
        "record of predictions",
        form=FORMAT,
        remedy="Delete its folder, and bring the predictions in again with build-report "
        "--predictions.",
    )
