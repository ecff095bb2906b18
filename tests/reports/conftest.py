"""Output folders with their reports, shared by the tests that only read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.figures import style
from reports.report import write_report
from tests.reports.folder import full
from tests.reports.tasks import three_tasks

DRAW = style._saved
LOOKED_AT = {
    "test_browser",
    "test_latex",
    "test_page",
    "test_pictures",
    "test_predictions",
    "test_report",
}
"""Modules that look at figures; the others read texts, and figures take longest to be drawn."""

EMPTY = {"svg": b"<svg></svg>"}


@pytest.fixture(scope="module", autouse=True)
def _figures_are_named_alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Draws nothing where nobody looks: a figure is empty, and stands under its name."""
    with pytest.MonkeyPatch.context() as patch:
        if request.module.__name__.rpartition(".")[2] not in LOOKED_AT:
            patch.setattr(style, "_saved", lambda _, form: EMPTY.get(form, b""))
        yield


def _with_figures(out: Path) -> Path:
    """Writes a report whose figures are drawn, for all modules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "_saved", DRAW)
        write_report(out)
    return out


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _with_figures(full(tmp_path_factory.mktemp("out")))


@pytest.fixture(scope="session")
def text(reported: Path) -> str:
    return (reported / "report.md").read_text()


@pytest.fixture(scope="session")
def tasks_reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _with_figures(three_tasks(tmp_path_factory.mktemp("tasks")))


@pytest.fixture(scope="session")
def tasks_text(tasks_reported: Path) -> str:
    return (tasks_reported / "report.md").read_text()
