"""Parts of train for learning curves."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.datasets import load_dataset
from suite.datasets.dataset import Dataset
from suite.datasets.splitting import with_part_of_train
from tests import tiny


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return load_dataset(str(tiny.write_dataset(tmp_path_factory.mktemp("data") / "whole")))


def test_a_part_lies_within_every_larger_part_in_the_order_of_the_file(whole: Dataset) -> None:
    @given(st.floats(0.01, 1), st.floats(0.01, 1))
    def check(a: float, b: float) -> None:
        small, large = (with_part_of_train(whole, share) for share in sorted((a, b)))
        assert set(small.train.examples) <= set(large.train.examples)
        order = {example: i for i, example in enumerate(whole.train.examples)}
        places = [order[example] for example in small.train.examples]
        assert places == sorted(places)

    check()


def test_a_part_is_said_and_is_not_the_published_split(whole: Dataset) -> None:
    tenth = with_part_of_train(whole, 0.1)
    assert len(tenth.train.examples) == 6
    assert tenth.train.fingerprint != whole.train.fingerprint
    assert tenth.notes[-1] == "train is 6 of 60 examples, chosen by hash of the text"
    assert (tenth.dev, tenth.test, tenth.schema) == (whole.dev, whole.test, whole.schema)
    assert tenth.wordings_in_train < whole.wordings_in_train
    assert with_part_of_train(whole, 1.0) is whole


def test_a_part_of_a_published_split_is_not_published(shared_data: Path) -> None:
    dataset = load_dataset("conll04", shared_data)
    assert dataset.train.published is True
    assert with_part_of_train(dataset, 0.5).train.published is False
