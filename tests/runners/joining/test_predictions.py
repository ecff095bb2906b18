"""Predictions from outside come along when folders are joined."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from runners.joining.join import join
from runners.outside import bring_in
from suite.datasets import load_dataset
from suite.errors import SuiteError
from suite.records.outside import read_outside_record
from tests import tiny
from tests.given_runs import run_on, with_mistakes, write_out
from tests.reports.markdown import rows, section
from tests.runners.joining.outputs import joined


@pytest.fixture(scope="module")
def outs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path, Path]:
    """Two folders with the same run, and two files of predictions on it."""
    folder = tmp_path_factory.mktemp("outs")
    data = tiny.write_dataset(folder / "data" / "tiny")
    loaded = load_dataset(str(data))
    for name in ("one", "two"):
        write_out(folder / name, (str(data), loaded))
    good, poor = folder / "good.jsonl", folder / "poor.jsonl"
    good.write_text(run_on(loaded, with_mistakes(loaded))[1])
    poor.write_text(run_on(loaded, [[] for _ in loaded.test.examples])[1])
    return folder / "one", folder / "two", good, poor


@pytest.fixture
def copied(outs: tuple[Path, Path, Path, Path], tmp_path: Path) -> tuple[Path, Path, Path, Path]:
    one, two = (Path(shutil.copytree(out, tmp_path / out.name)) for out in outs[:2])
    return one, two, *outs[2:]


def systems(text: str) -> set[str]:
    return {row["System"] for row in rows(section(text, "Main results"), "Seeds")}


def test_predictions_come_along(copied: tuple[Path, Path, Path, Path], tmp_path: Path) -> None:
    one, two, good, poor = copied
    bring_in(one, [f"first={good}", f"both={good}"], [], None)
    bring_in(two, [f"second={poor}", f"both={good}"], [], None)
    out, said, text = joined([one, two], tmp_path / "new")
    assert "both · tiny · file 0: the one of one, the first" in said
    assert systems(text) == {
        *("FastRE", "first (outside)", "second (outside)", "both (outside)"),
    }
    place = Path("outside", "first", "tiny", "0", "predictions.jsonl")
    assert (out / place).read_bytes() == (one / place).read_bytes()


def test_other_predictions_of_one_name_are_refused_or_told_apart(
    copied: tuple[Path, Path, Path, Path], tmp_path: Path
) -> None:
    one, two, good, poor = copied
    bring_in(one, [f"both={good}"], [], None)
    bring_in(two, [f"both={poor}"], [], None)
    message = (
        r"both · tiny · file 0 is not the same in .*one and .*two \(they are other predictions\)"
    )
    with pytest.raises(SuiteError, match=message):
        join([one, two], tmp_path / "new", apart=False, finish=lambda folder: None)
    out, _, text = joined([one, two], tmp_path / "new", apart=True)
    assert systems(text) == {"FastRE", "both (outside)", "both (two) (outside)"}
    record = read_outside_record(out / "outside" / "both.two" / "tiny" / "0" / "record.json")
    assert (record.name, record.title) == ("both.two", "both (two)")


def test_other_things_that_are_stated_are_unequal(
    copied: tuple[Path, Path, Path, Path], tmp_path: Path
) -> None:
    one, two, good, _ = copied
    about = tmp_path / "both.yaml"
    about.write_text("title: A prompt\n")
    bring_in(one, [f"both={good}"], [], None)
    bring_in(two, [f"both={good}"], [about], None)
    with pytest.raises(SuiteError, match="other things are stated of them"):
        join([one, two], tmp_path / "new", apart=False, finish=lambda folder: None)
