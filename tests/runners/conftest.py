"""What the tests of runs share: a small dataset and an environment with plug-in systems."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import tiny
from tests.runners import plugins


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder of a few sentences."""
    return tiny.write_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that finds the plug-in systems."""
    return plugins.install(tmp_path_factory.mktemp("site") / "packages")
