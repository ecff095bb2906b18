"""Files of evidence as output folders, so that they are joined as those are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from suite.errors import SuiteError
from suite.files import write_atomically
from suite.names import folder_name
from suite.records.evidence import REMEDY, RUN_EVIDENCE, SUFFIX, is_evidence, read_evidence
from suite.records.suite import RUNS

USUAL = "evidence"
"""Name of a file that says nothing: its folder's says more."""


@dataclass(frozen=True)
class Place:
    """An output folder.

    Attributes:
        named: what the user named: the folder, or a file of evidence.
        folder: the one that was named, or the one in which the file was laid out.
    """

    named: Path
    folder: Path


@contextmanager
def laid_out(named: Sequence[Path]) -> Iterator[list[Place]]:
    """Output folders, and for the time being one for each file of evidence.

    Raises:
        SuiteError: a file of evidence is broken.
    """
    with TemporaryDirectory(prefix="evidence-") as base:
        yield [
            Place(path, _lay_out(path, Path(base, f"{i}")) if is_evidence(path) else path)
            for i, path in enumerate(named)
        ]


def _lay_out(path: Path, base: Path) -> Path:
    """Writes a folder of the file's runs, called by the file."""
    evidence, called = read_evidence(path), path.name.removesuffix(SUFFIX)
    folder = base / folder_name(path.resolve().parent.name if called == USUAL else called)
    evidence.plan.write(folder)
    for run in evidence.runs:
        parts = Path(run.folder).parts
        if len(parts) != 4 or parts[0] != RUNS or ".." in parts:
            raise SuiteError(
                f"names a folder that no run has: {run.folder!r}", where=path, remedy=REMEDY
            )
        place = folder.joinpath(*parts)
        run.record.write(place)
        write_atomically(place / RUN_EVIDENCE, run.model_dump_json())
    return folder
