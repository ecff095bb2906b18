"""A file is held by one process, or by several that share it, and let go of when they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from suite.errors import SuiteError
from suite.locks import held

BUSY = SuiteError("another process works here", remedy="Wait.")


def test_a_file_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held(path, BUSY):
        with pytest.raises(SuiteError, match="another process works here"), held(path, BUSY, 0.05):
            pass
        with pytest.raises(SuiteError), held(path, BUSY, shared=True):
            pass
    with held(path, BUSY):
        pass


def test_several_share_it_and_nobody_else_has_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    one, other = held(path, BUSY, shared=True), held(path, BUSY, shared=True)
    with one, other, pytest.raises(SuiteError), held(path, BUSY):
        pass


def test_what_is_taken_away_while_it_is_held_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with held(path, BUSY) as first:
        path.unlink()
        with held(path, BUSY) as second:
            assert first != second
            assert path.exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"), held(tmp_path / "lock", BUSY):
        pass
    assert not (tmp_path / "victim").exists()
