"""Fixtures of the tests of energy."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.runs import energy


@pytest.fixture
def powercap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pretended sysfs that meters look into."""
    folder = tmp_path / "powercap"
    folder.mkdir()
    monkeypatch.setattr(energy, "POWERCAP", folder)
    return folder
