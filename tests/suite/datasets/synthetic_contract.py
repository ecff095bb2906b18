"""What holds for every synthetic corpus, whatever its task.

A test module gives a fixture `corpus`, the default one, and a class derived from
`SyntheticContract`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from typing import ClassVar

import pytest

from suite.datasets.dataset import Dataset
from suite.errors import SuiteError
from suite.tasks.examples import TaskName


class SyntheticContract:
    """Tests of a corpus by its `make(seed, train, dev, test)`.

    Attributes:
        make: as a static method.
        golden: split -> fingerprint of the default corpus; a change makes new figures of it
            incomparable with old ones.
        sizes: split -> examples of the default corpus.
        task, unit: of it, and what its examples are called.
    """

    make: Callable[..., Dataset]
    golden: ClassVar[dict[str, str]]
    sizes: ClassVar[dict[str, int]]
    task: ClassVar[TaskName]
    unit: ClassVar[str]

    def test_the_default_corpus_is_the_recorded_one(self, corpus: Dataset) -> None:
        assert {split.name: split.fingerprint for split in corpus.splits} == self.golden

    def test_says_that_it_is_synthetic(self, corpus: Dataset) -> None:
        assert corpus.synthetic
        assert corpus.task == corpus.schema.task == self.task
        assert corpus.matching == "offsets"
        assert any("says nothing about real text" in note for note in corpus.notes)
        assert {s.name: len(s.examples) for s in corpus.splits} == self.sizes
        assert {(s.path, s.published) for s in corpus.splits} == {(None, None)}

    @pytest.mark.parametrize("hash_seed", ["1", "2"])
    def test_a_fresh_process_makes_the_same_bytes_and_needs_no_torch(self, hash_seed: str) -> None:
        module, name = self.make.__module__, self.make.__name__
        program = (
            f"import hashlib, sys; from {module} import {name}\n"
            f"made = repr({name}(3, 40, 20, 20).splits)\n"
            "print(hashlib.sha256(made.encode()).hexdigest(), 'torch' in sys.modules)"
        )
        printed = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        here = hashlib.sha256(repr(self.make(3, 40, 20, 20).splits).encode()).hexdigest()
        assert printed == [here, "False"]

    def test_seeds_differ(self) -> None:
        first, second = self.make(0, 50, 10, 10), self.make(1, 50, 10, 10)
        for a, b in zip(first.splits, second.splits, strict=True):
            assert not {e.words for e in a.examples} & {e.words for e in b.examples}

    def test_splits_do_not_depend_on_the_size_of_others(self, corpus: Dataset) -> None:
        small = self.make(**{**self.sizes, "train": 40})
        assert small.train.examples == corpus.train.examples[:40]
        assert small.dev.fingerprint == corpus.dev.fingerprint
        assert small.test.fingerprint == corpus.test.fingerprint

    @pytest.mark.parametrize("split", ["train", "dev", "test"])
    def test_an_empty_split_is_refused(self, split: str) -> None:
        with pytest.raises(SuiteError, match=f"0 {split} {self.unit}"):
            self.make(**{split: 0})
