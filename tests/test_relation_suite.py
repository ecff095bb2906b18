"""A command starts with this project's own packages, or says which others Python finds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relation_suite import HOME, PACKAGES, strangers


def started(tmp_path: Path, *packages: str) -> subprocess.CompletedProcess[str]:
    for name in packages:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    script = Path(sys.executable).with_name("run-suite")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        [script, "--version"], env=environment, capture_output=True, text=True, check=False
    )


def test_these_packages_are_the_projects_own() -> None:
    assert strangers() == []
    assert all((HOME / name).is_dir() for name in PACKAGES)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_users_own_package_of_the_name_is_told(tmp_path: Path, name: str) -> None:
    ended = started(tmp_path, name)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "error: Python finds other packages in place of relation-suite's"
    )
    assert f"{name} ({tmp_path / name})" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_one_the_command_starts(tmp_path: Path) -> None:
    ended = started(tmp_path)
    assert ended.returncode == 0, ended.stderr
