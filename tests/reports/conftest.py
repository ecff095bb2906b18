"""Output folders with their reports, shared by the tests that only read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.report import write_report
from tests.reports.folder import full
from tests.reports.tasks import three_tasks


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = full(tmp_path_factory.mktemp("out"))
    write_report(out)
    return out


@pytest.fixture(scope="session")
def text(reported: Path) -> str:
    return (reported / "report.md").read_text()


@pytest.fixture(scope="session")
def tasks_reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = three_tasks(tmp_path_factory.mktemp("tasks"))
    write_report(out)
    return out


@pytest.fixture(scope="session")
def tasks_text(tasks_reported: Path) -> str:
    return (tasks_reported / "report.md").read_text()
