"""One output folder with its report, shared by the tests that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.report import write_report
from tests.reports.folder import full


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = full(tmp_path_factory.mktemp("out"))
    write_report(out)
    return out


@pytest.fixture(scope="session")
def text(reported: Path) -> str:
    return (reported / "report.md").read_text()
