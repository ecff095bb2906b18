"""A model that needs no training: `X in Y` is a triple, and so on; and the command with it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from suite.errors import SuiteError
from suite.extraction.extractor import Extractor
from suite.extraction.text import Splitter
from suite.tasks.examples import Document, Entity, Example, Fact, Span, TaskName, Triple
from suite.tasks.items import Prediction

FAILS = "BOOM"
TYPES = {"in": ("THING", "PLACE"), "at": (None, None)}


@dataclass
class Fake:
    """Relations `in` and `at` between the words beside them; capitalised words are entities.

    A score is one over the length of what is read, so that it tells whether pieces are mixed up.
    """

    task: TaskName = "triples"
    digest: str = "d1"
    max_words: int = 6
    words: str | None = None
    types: Mapping[str, tuple[str | None, str | None]] = field(default_factory=lambda: TYPES)
    asked: list[list[int]] = field(default_factory=list)
    """Lengths of what was asked at once."""

    def score_for_precision(self, precision: float) -> float:
        if precision > 0.9:
            raise SuiteError(f"no score has a precision of {precision} on dev", remedy="Ask less.")
        return precision / 2

    def predict(
        self, examples: Sequence[Example], batch_size: int | None = None
    ) -> list[list[Prediction]]:
        assert batch_size is not None
        assert batch_size > 0
        if self.task == "docre":
            return [self._between(document) for document in examples]
        pieces = [example.words for example in examples]
        assert all(0 < len(piece) <= self.max_words for piece in pieces)
        self.asked.append([len(piece) for piece in pieces])
        _maybe_killed()
        "".join(word for piece in pieces for word in piece).encode()  # as every real one must
        if any(FAILS in piece for piece in pieces):
            raise RuntimeError("it went off")
        return [self._in(piece) for piece in pieces]

    def _in(self, piece: tuple[str, ...]) -> list[Prediction]:
        score = 1 / len(piece)
        if self.task == "ner":
            return [
                Prediction(Entity(Span(i, i + 1), "NAME"), score)
                for i, word in enumerate(piece)
                if word[0].isupper()
            ]
        return [
            Prediction(Triple(Span(i - 1, i), word, Span(i + 1, i + 2)), score)
            for i, word in enumerate(piece)
            if word in TYPES and 0 < i < len(piece) - 1
        ]

    @staticmethod
    def _between(document: Example) -> list[Prediction]:
        assert isinstance(document, Document)
        assert len(document.entities) > 1
        return [Prediction(Fact(1, "of", 0), 1 / len(document.entities))]


def extractor(words: str | None = None, **changes: object) -> Extractor:
    """With the model of triples unless `model` names another."""
    model = changes.pop("model", None) or Fake()
    return Extractor(model, Splitter(words, 6), 4, **changes)  # type: ignore[arg-type]


_calls = 0


def _maybe_killed() -> None:
    global _calls  # noqa: PLW0603 - of a process
    _calls += 1
    if _calls == int(os.environ.get("KILLED_AT", "0")):
        os.kill(os.getpid(), signal.SIGKILL)


def command(arguments: Sequence[str | Path], stdin: Path | None = None) -> None:
    """`extract-relations` whose MODEL is the name of a task; for `tests.tiny.forked`."""
    from runners.cli import extract_relations as cli
    from suite.extraction import inputs
    from suite.extraction.model import Model

    def load(path: Path, device: str, engine: str = "torch") -> Fake:
        del device, engine
        names = {"triples": "triples", "ner": "ner", "docre": "docre"}
        if path.name not in names:
            raise SuiteError("holds no model", where=path)
        return Fake(names[path.name], os.environ.get("DIGEST", "d1"))  # type: ignore[arg-type]

    Model.load = load  # type: ignore[assignment,method-assign]
    inputs.CHUNK_TEXTS = int(os.environ.get("CHUNK_TEXTS", inputs.CHUNK_TEXTS))
    if stdin is not None:
        os.dup2(os.open(stdin, os.O_RDONLY), 0)
        sys.stdin = open(0)  # noqa: SIM115 - a fork's is no file
    sys.argv = ["extract-relations", *map(str, arguments)]
    cli.extract_relations()
