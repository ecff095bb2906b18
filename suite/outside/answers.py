"""What a file of predictions says, whatever its form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from suite.errors import SuiteError
from suite.tasks.claims import Claim


@dataclass(frozen=True)
class Answer:
    """What a file says of one test example.

    Attributes:
        place: where in the file, in words.
        claims: what is predicted.
        id: of the example, or the title of a document; None where the text alone names it.
        text: of the example.
        words: of the example, where the file has them one by one.
        gold: what the file itself holds for gold; None where it holds none.
    """

    place: str
    claims: tuple[Claim, ...]
    id: str | None = None
    text: str | None = None
    words: tuple[str, ...] | None = None
    gold: tuple[Claim, ...] | None = None

    @property
    def letters(self) -> str | None:
        """Its text without white space, by which it is found; None where it has none."""
        whole = "".join(self.words) if self.words is not None else self.text
        return None if whole is None else "".join(whole.split())

    @property
    def named(self) -> str:
        """The example that it is about, for messages: by what it is looked for."""
        text = self.text if self.words is None else " ".join(self.words)
        return " ".join((text or self.id or "").split())


@dataclass(frozen=True)
class AnswersFile:
    """A file of predictions, read.

    Attributes:
        path: of the file.
        form: what it is, as an error calls it.
        sha256: of its bytes.
        answers: in the order of the file.
        silent: whether the form has no record for an example without predictions.
    """

    path: Path
    form: str
    sha256: str
    answers: tuple[Answer, ...]
    silent: bool = False

    def error(self, answer: Answer, cause: str, remedy: str) -> SuiteError:
        """The error for a mistake in one of its records."""
        return SuiteError(cause, where=f"{self.path}, {answer.place}", remedy=remedy)
