"""Names from outside name folders and stand in reports, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from suite.datasets import load_dataset
from suite.names import folder_name
from suite.systems.variants import Variant
from tests.suite.datasets.folders import PARIS, ROME, triples


@pytest.mark.parametrize("name", ["nyt11", "my.data-2", "a+b", "données", "数据"])
def test_a_fit_name_stays(name: str) -> None:
    assert folder_name(name) == name


@given(st.text(min_size=1), st.text(min_size=1))
def test_different_names_have_different_folders(one: str, other: str) -> None:
    assert (folder_name(one) == folder_name(other)) is (one == other)


@given(st.text(min_size=1))
def test_a_folder_is_one_step_down(name: str) -> None:
    made = folder_name(name)
    assert re.fullmatch(r"[\w.+-]+", made)
    assert made.strip("."), made


def test_two_datasets_whose_names_look_alike_are_two(tmp_path: Path) -> None:
    names = set()
    for folder in ("my data", "my-data", "my_data", "<b>my data"):
        made = triples(tmp_path / folder, train=[PARIS, ROME], test=[ROME])
        names.add(load_dataset(str(made)).name)
    assert len(names) == 4
    assert {"my-data", "my_data"} <= names


@pytest.mark.parametrize("name", [".", "..", "...", "a/b", "", "a b"])
def test_a_variant_cannot_be_called_so(name: str) -> None:
    with pytest.raises(ValidationError):
        Variant(name=name, system="fastre")


@pytest.mark.parametrize(
    "title", ["<script>", "[x](http://a)", "a|b", "a\\|b", "a\nb", "`a`", "=1+1", "@SUM(A1)", "-1"]
)
def test_a_title_that_is_markup_is_refused(title: str) -> None:
    with pytest.raises(ValidationError, match="markup"):
        Variant(name="mine", system="fastre", title=title)


def test_plain_titles_are_taken() -> None:
    for title in ("FastRE, rates all 1", "PMEI (BERT)", "WebNLG*", "Größe 2"):
        assert Variant(name="mine", system="fastre", title=title).title == title
