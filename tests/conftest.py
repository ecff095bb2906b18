"""Fixtures that all tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

if not any("benchmarks" in argument for argument in sys.argv):
    # Before torch starts: models this small gain nothing from more threads, and wait for them where
    # other work wants the cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # Where a run has two all the same, one waits for the other asleep, and not on a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
from hypothesis import settings

# A busy machine must not fail a test, nor a lucky draw pass it.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """Has shapes checked, but where speed is measured: the checks would be most of it."""
    if not all("benchmarks" in argument for argument in config.args):
        import tests.shapes  # noqa: F401 - before any package whose shapes it checks


SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session", autouse=True)
def users_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of the tests' own: what the user keeps is neither read nor added to."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


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


@pytest.fixture(scope="session")
def parser_folder() -> Path:
    """The real spaCy pipeline beside the checkout."""
    folder = SHARED / "models" / "en_ewt"
    if not folder.is_dir():
        pytest.skip(f"the dependency parser is not at {folder}")
    return folder
