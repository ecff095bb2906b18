"""How fast a file becomes examples."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from suite.datasets.catalogue.entries import CATALOGUE
from suite.datasets.formats import detect
from suite.datasets.problems import ProblemLog
from suite.datasets.reading import Reading
from suite.datasets.textfile import TextFile
from suite.tasks.examples import Example

FILES = {
    "nyt10": ("test_triples.json", 4006),
    "conll04": ("train_triples.json", 922),
    "redocred": ("dev_revised.json", 500),
    "conll03": ("eng.testb", 3453),
}


@pytest.mark.parametrize("name", FILES)
def test_reading(benchmark: BenchmarkFixture, shared_data: Path, name: str) -> None:
    file_name, size = FILES[name]
    path = shared_data / name / file_name

    def read() -> list[Example]:
        file = TextFile.read(path)
        return detect(file).read(
            file, "test", Reading(ProblemLog(path), CATALOGUE[name].types or {})
        )

    assert len(benchmark.pedantic(read, rounds=5, warmup_rounds=1)) == size
