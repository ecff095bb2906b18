"""What extraction costs around a model: reading, splitting and writing, as a ratio to a bare loop.

`pytest tests/benchmarks/test_extraction.py -s` prints it. The model of the test answers at once.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from suite.datasets.reading import SplitText
from suite.datasets.words import find_words_of
from suite.extraction.extract import extract, one_by_one
from suite.extraction.extractor import Extractor
from suite.extraction.inputs import Form, Inputs
from suite.extraction.outputs import Work, opened_output
from suite.extraction.text import Splitter
from suite.tasks.examples import Example, Span, Triple
from suite.tasks.items import Prediction
from tests.suite.extraction.fake import Fake

TEXTS, ROUNDS = 4000, 3
BOUNDS = {"white space": 14.0, "spacy:en": 5.0, "characters": 19.0}
"""Of the ratio, at about twice what was measured."""


class Instant(Fake):
    """Two triples in each piece."""

    def predict(
        self, examples: Sequence[Example], batch_size: int | None = None
    ) -> list[list[Prediction]]:
        triple = Triple(Span(0, 1), "in", Span(0, 1))
        return [[Prediction(triple, 0.5)] * 2 for _ in examples]


@pytest.fixture(scope="module")
def sentences(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = json.loads((shared_data / "nyt10" / "test_triples.json").read_text())
    path = tmp_path_factory.mktemp("texts") / "sentences.jsonl"
    lines = (json.dumps({"id": i, "text": records[i % len(records)]["text"]}) for i in range(TEXTS))
    path.write_text("\n".join(lines))
    return path


def bare(path: Path, out: Path, split: SplitText) -> None:
    """The least that a loop from texts to rows does."""
    with path.open() as file, out.open("w") as rows:
        for line in file:
            record = json.loads(line)
            split(record["text"])
            rows.write(json.dumps({"id": record["id"], "triples": []}) + "\n")


def whole(path: Path, out: Path, words: str | None) -> None:
    inputs = Inputs([str(path)], Form())
    work = Work("d1", {}, inputs.fingerprint(), "triples")
    with opened_output(out, work) as output:
        answers = one_by_one(Extractor(Instant(), Splitter(words, 128), 128))
        extract(inputs, answers, output)


def seconds(action: Callable[[Path], None], folder: Path, name: str) -> float:
    """Of the processor, the median of some rounds after one that is not counted."""
    found = []
    for number in range(ROUNDS + 1):
        started = time.process_time()
        action(folder / f"{number}{name}")
        found.append(time.process_time() - started)
    return statistics.median(found[1:])


@pytest.mark.parametrize("name", BOUNDS)
def test_ratio_to_a_bare_loop(sentences: Path, tmp_path: Path, name: str) -> None:
    words = None if name == "white space" else name
    gc.freeze()  # as the command does
    least = seconds(lambda out: bare(sentences, out, find_words_of(words)), tmp_path, "bare.jsonl")
    for ending in ("jsonl", "parquet"):
        taken = seconds(lambda out: whole(sentences, out, words), tmp_path, f"whole.{ending}")
        print(
            f"\n{name}, {ending}: {1e6 * taken / TEXTS:.0f} µs per text, {taken / least:.2f} times "
            f"a bare loop's {1e6 * least / TEXTS:.0f} µs"
        )
        if ending == "jsonl":
            assert taken < BOUNDS[name] * least
