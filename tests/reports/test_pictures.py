"""Figures in all forms: of the same bytes whenever they are drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.answer import find_answers
from reports.cells import Picture
from reports.load import load_results
from reports.report import draw
from tests.reports import folder


@pytest.fixture(scope="module")
def drawn(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, Picture], dict[str, Picture]]:
    out = tmp_path_factory.mktemp("out")
    folder.plan(datasets=("synthetic",), systems=("fastre",), seeds=(0,)).write(out)
    folder.write_run(out, folder.record("fastre", "synthetic", 0), folder.epochs(0.5, 1, 0))
    loaded = load_results(out)
    answers = find_answers(loaded.groups)
    return dict(draw(loaded, answers)), dict(draw(load_results(out), answers))


def test_the_same_figure_has_the_same_bytes(
    drawn: tuple[dict[str, Picture], dict[str, Picture]],
) -> None:
    first, second = drawn
    assert len(first) == 4
    assert first == second


def test_forms_are_what_they_are_called(
    drawn: tuple[dict[str, Picture], dict[str, Picture]],
) -> None:
    for picture in drawn[0].values():
        assert picture.png.startswith(b"\x89PNG\r\n\x1a\n")
        assert re.match(rb"<\?xml.*<svg ", picture.svg, re.DOTALL)
        assert picture.pdf.startswith(b"%PDF")
        assert b"/Type3" not in picture.pdf
        for content in picture:
            assert not re.search(rb"CreationDate|<dc:date>|Matplotlib v", content)


def test_a_file_for_each_form(reported: Path) -> None:
    stems = {path.stem for path in (reported / "figures").iterdir()}
    names = {f"{stem}.{form}" for stem in stems for form in Picture._fields}
    assert {path.name for path in (reported / "figures").iterdir()} == names
