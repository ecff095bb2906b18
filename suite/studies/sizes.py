"""Studies of cost by size: at which sizes systems are measured, and what is stated of them."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from suite.files import StrictModel
from suite.systems.variants import SUFFIXES, read_fields, stem, wrong_field

FOLDER = Path(__file__).parent / "by_size"
MARK = "limit_gigabytes"
"""The field by which a user's file is told from a paper's table."""


class Size(StrictModel):
    """Of all sentences of a measurement.

    Attributes:
        words: of each.
        relations: of the schema.
    """

    words: int = Field(ge=6)
    relations: int = Field(ge=1)


class Complexity(StrictModel):
    """What is stated of a system.

    Attributes:
        text: as printed; k relations, n words.
        words, relations: the exponents.
    """

    text: str
    words: float
    relations: float


class SizeStudy(StrictModel):
    """At which sizes all systems of triples are measured.

    Attributes:
        name: of its file.
        title: as a report's heading.
        question: that it asks.
        source, table: where the complexities are stated.
        notes: what a reader must know, as sentences.
        words: lengths, at the number of relations of `where`.
        relations: numbers of them, at the length of `where`.
        where: both axes meet.
        sentences: of a batch.
        triples: of each sentence, whatever its length; None: as many as the corpus has in so many
            words, which is the more, the longer it is.
        steps: of training that are timed, at most; the first one is not.
        seconds: after which no further step, or pass of inference, is timed.
        fit_seconds: of further steps at most, until the system finds about as many triples as there
            are.
        limit_seconds: after which a measurement is given up.
        limit_gigabytes: of memory, likewise.
        stated: system -> complexity.
    """

    name: str = Field(pattern=r"^[\w.+-]+$")
    title: str
    question: str
    source: str
    table: str
    notes: tuple[str, ...] = ()
    words: tuple[int, ...] = Field(min_length=1)
    relations: tuple[int, ...] = Field(min_length=1)
    where: Size
    sentences: int = Field(ge=1)
    triples: int | None = Field(default=None, ge=1)
    steps: int = Field(ge=2)
    seconds: float = Field(gt=0)
    fit_seconds: float = Field(ge=0)
    limit_seconds: float = Field(gt=0)
    limit_gigabytes: float = Field(gt=0)
    stated: dict[str, Complexity] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        for name in ("words", "relations"):
            axis = getattr(self, name)
            if list(axis) != sorted(set(axis)):
                raise ValueError(f"{name}: must rise, each size once")
            for value in axis:
                Size.model_validate({**self.where.model_dump(), name: value})
        return self

    def along(self, axis: str) -> tuple[Size, ...]:
        """The sizes along `words` or along `relations`, from small to large."""
        values = getattr(self, axis)
        return tuple(self.where.model_copy(update={axis: value}) for value in values)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """All of them, each once; along each axis from small to large."""
        found = {(s.words, s.relations): s for a in ("words", "relations") for s in self.along(a)}
        return tuple(found.values())


def size_study_names() -> list[str]:
    """The studies of cost by size of this suite."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find_size_study(name: str) -> SizeStudy | None:
    """A study of cost by size by its name, or of a YAML file; None where it is another study.

    Raises:
        SuiteError: the file cannot be read, or has a field that is not as it should be.
    """
    if name.endswith(SUFFIXES):
        path = Path(name)
        if MARK not in read_fields(path, "--study", _FORM):
            return None
    elif name in size_study_names():
        path = FOLDER / f"{name}.yaml"
    else:
        return None
    content = read_fields(path, "--study", _FORM)
    try:
        return SizeStudy.model_validate({**content, "name": stem(path)})
    except ValidationError as error:
        raise wrong_field(error, path, _FORM) from error


_FORM = "Expected the fields of a study; suite/studies/by_size/ of the package has an example."
