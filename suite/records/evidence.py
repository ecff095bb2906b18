"""Evidence: what an output folder tells of its runs, without a word of the data they answered.

Data of others may not be given on, but what they were answered with may: for each run the record,
its epochs, and how many items of each test example were right, predicted and gold. That is all that
the intervals of a report need.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError

from suite.errors import SuiteError, first_mistake
from suite.files import StrictModel, read_model, read_regular, readable, write_atomically
from suite.records.run import Epoch, RunRecord
from suite.records.suite import SuitePlan
from suite.tasks.matching import Match

FORMAT: Final = 1
SUFFIX = ".json.gz"
"""How the name of a file of evidence ends."""
RUN_EVIDENCE = "evidence.json"
"""In the folder of a run that came as evidence: all that is known of it."""
SEEN, NOT_SEEN = "seen", "not seen"
"""Parts of a test set by item: train has it too, or has not."""
REMEDY = "Write it again: build-report OUT --evidence FILE."

Triple = tuple[int, int, int]
"""Correct, predicted and gold of an example."""


def digest_of(ids: Sequence[str]) -> str:
    """The digest of examples by their ids, which may hold words of the data."""
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12]


class AnsweredSplit(StrictModel):
    """How a run answered a split.

    Attributes:
        examples: digest of their ids; equal where two runs answered the same ones.
        counts: match rule -> of each example, in the order of their ids.
        by_item: `SEEN`, `NOT_SEEN` -> likewise, under the rule that selects.
        slices: family -> the slices that each example lies in.
    """

    examples: str
    counts: dict[Match, tuple[Triple, ...]]
    by_item: dict[str, tuple[Triple, ...]] = Field(default_factory=dict)
    slices: dict[str, tuple[tuple[str, ...], ...]] = Field(default_factory=dict)


class ExplainedClass(StrictModel):
    """The mean of a measure of words over a class of them, as `explain-run` has it."""

    measure: str
    word_class: str
    mean: float


class RunEvidence(StrictModel):
    """One run.

    Attributes:
        folder: its place in the output folder.
        digest: of its `record.json`, as it was.
        record: without scores by relation or type, which name them, and those of other names.
        history: its epochs.
        test, dev: None where it kept no predictions of the split.
        explained: of `explain-run`; empty where that was not run.
    """

    folder: str
    digest: str
    record: RunRecord
    history: tuple[Epoch, ...]
    test: AnsweredSplit | None = None
    dev: AnsweredSplit | None = None
    explained: tuple[ExplainedClass, ...] = ()


class Evidence(StrictModel):
    """What an output folder tells.

    Attributes:
        plan: without the command and its options, which name files of a machine.
        runs: all that left a record.
    """

    format: Literal[1] = FORMAT
    plan: SuitePlan
    runs: tuple[RunEvidence, ...]


def write_evidence(evidence: Evidence, path: Path) -> None:
    """Writes a file of evidence, whole or not at all.

    Raises:
        SuiteError: the file cannot be written, or its name does not end as such a file's does.
    """
    if not path.name.endswith(SUFFIX):
        raise SuiteError(
            "is no name for evidence", where=path, remedy=f"Let it end in {SUFFIX}, as it is JSON."
        )
    write_atomically(path, gzip.compress(evidence.model_dump_json().encode(), mtime=0))


def read_evidence(path: Path) -> Evidence:
    """Reads a file of evidence.

    Raises:
        SuiteError: the file cannot be read, or holds something else.
    """
    with readable(path, REMEDY):
        content = read_regular(path)
    try:
        return Evidence.model_validate_json(gzip.decompress(content))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        cause = "is not evidence: it is no whole gzip file"
        raise SuiteError(cause, where=path, remedy=REMEDY) from error
    except ValidationError as error:
        cause = f"is not evidence of this version: {first_mistake(error)}"
        raise SuiteError(cause, where=path, remedy=REMEDY) from error


def is_evidence(path: Path) -> bool:
    """Whether a file is called as evidence is."""
    return path.is_file() and path.name.endswith(SUFFIX)


def read_run_evidence(folder: Path) -> RunEvidence:
    """What is known of a run that came as evidence.

    Raises:
        SuiteError: it cannot be read, or holds something else.
    """
    return read_model(
        folder / RUN_EVIDENCE,
        RunEvidence,
        "the evidence of a run",
        "Join the files of evidence anew: build-report FILES --out NEW.",
    )
