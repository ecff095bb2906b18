"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:
    # One thread for each of the processes; more would wait for each other. Before torch starts.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Has shapes checked, but where speed is measured: the checks would be most of it."""
    if not all("benchmarks" in argument for argument in config.args):
        import tests.shapes  # noqa: F401 - before any package whose shapes it checks


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real datasets beside the checkout; skips aloud where they are not."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"the real datasets are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def static_vectors() -> Path:
    """The real 300-dimensional word vectors beside the checkout."""
    path = SHARED / "embeddings" / "minilm-static.300d.txt.gz"
    if not path.is_file():
        pytest.skip(f"the word vectors are not at {path}")
    return path
