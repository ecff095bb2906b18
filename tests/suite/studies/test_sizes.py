"""Studies of cost by size as files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from suite.errors import SuiteError
from suite.studies.sizes import FOLDER, find_size_study, size_study_names
from suite.studies.study import study_names


def written(folder: Path, **changes: object) -> str:
    content = yaml.safe_load((FOLDER / "cost-by-size.yaml").read_text()) | changes
    path = folder / "sizes.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


def test_the_study_is_found_and_is_no_papers_table() -> None:
    assert size_study_names() == ["cost-by-size"]
    assert not {*size_study_names()} & {*study_names()}
    study = find_size_study("cost-by-size")
    assert study is not None
    assert (study.words[0], study.words[-1]) == (16, 256)
    assert (study.relations[0], study.relations[-1]) == (10, 1000)
    assert study.stated["grte"].text == study.stated["tplinker"].text == "O(k n^2)"
    assert find_size_study("fastre-table3") is None


def test_sizes_lie_on_two_axes(tmp_path: Path) -> None:
    path = written(tmp_path, words=[8, 16], relations=[5, 9], where={"words": 16, "relations": 5})
    study = find_size_study(path)
    assert study is not None
    sizes = [(size.words, size.relations) for size in study.sizes]
    assert sizes == [(8, 5), (16, 5), (16, 9)]


@pytest.mark.parametrize(
    ("field", "value"),
    [("words", [32, 16]), ("words", [3]), ("relations", [0, 1]), ("relations", []), ("steps", 1),
     ("sentences", 0), ("limit_seconds", -1), ("width", 3)],
)  # fmt: skip
def test_fields_that_cannot_be_are_named(tmp_path: Path, field: str, value: object) -> None:
    with pytest.raises(SuiteError) as caught:
        find_size_study(written(tmp_path, **{field: value}))
    assert field in str(caught.value)
    assert "sizes.yaml" in str(caught.value)


def test_a_papers_table_in_a_file_is_left_to_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "table.yaml"
    path.write_text("title: A table\n")
    assert find_size_study(str(path)) is None
