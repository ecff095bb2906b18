"""`run-suite --swap-entities` through the whole house, and of runs that were complete before."""

from __future__ import annotations

from pathlib import Path

import pytest

from suite.records.run import (
    DEV_PREDICTIONS,
    PREDICTIONS,
    SWAPPED_PREDICTIONS,
    RunRecord,
    read_record,
)
from suite.tasks.scores import AnsweredExample
from suite.tasks.scoring import total
from tests import tiny

pytestmark = pytest.mark.slow

SMALL = ("--set=fastre.width=32", "--set=fastre.dilations=[1]", "--set=fastre.attention_heads=2")


def run(tmp_path: Path, dataset: Path, *options: str | Path) -> tiny.Ended:
    return tiny.command(
        "run_suite", "--dataset", dataset, "--system", "fastre", *SMALL, "--seeds", "1",
        "--epochs", "4", "--threads", "1", "--tracker", "none", "--out", "out", *options,
        folder=tmp_path, seconds=120,
    )  # fmt: skip


def folder_of(tmp_path: Path) -> Path:
    return tmp_path / "out" / "runs" / "fastre" / "tiny" / "0"


def record_of(tmp_path: Path) -> RunRecord:
    return read_record(folder_of(tmp_path) / "record.json")


def lines_of(tmp_path: Path, name: str) -> list[AnsweredExample]:
    text = (folder_of(tmp_path) / name).read_text()
    return [AnsweredExample.model_validate_json(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    """A run that was complete before anyone asked for other names, and is asked then."""
    tmp_path = tmp_path_factory.mktemp("swapped")
    first = run(tmp_path, dataset)
    assert first.code == 0, first.err
    before = record_of(tmp_path)
    assert before.swapped is None
    assert not (folder_of(tmp_path) / SWAPPED_PREDICTIONS).exists()
    again = run(tmp_path, dataset, "--swap-entities", "train")
    assert again.code == 0, again.err
    assert record_of(tmp_path).started == before.started, "it was not trained again"
    assert record_of(tmp_path).test == before.test
    return tmp_path


def test_both_scores_are_of_the_same_sentences(done: Path) -> None:
    swapped = record_of(done).swapped
    assert swapped is not None
    assert swapped.failure is None
    assert swapped.by_part, "the data have no types"
    assert (swapped.names, swapped.examples) == ("train", tiny.SIZES["test"])
    assert swapped.swapped + sum(swapped.left.values()) == swapped.examples
    assert swapped.swapped > 5
    lines = lines_of(done, SWAPPED_PREDICTIONS)
    own = {line.id: line for line in lines_of(done, PREDICTIONS)}
    assert len(lines) == swapped.swapped
    assert all(line.text != own[line.id].text for line in lines)
    assert swapped.before is not None
    assert swapped.after is not None
    assert swapped.before.partial == total(own[line.id].correct["partial"] for line in lines)
    assert swapped.after.partial == total(line.correct["partial"] for line in lines)
    assert swapped.before.partial.gold == swapped.after.partial.gold


def test_the_report_sets_them_side_by_side(done: Path) -> None:
    text = (done / "out" / "report.md").read_text()
    assert "#### Other names" in text
    assert "F1, partial match, other names (%)" in text


def test_dev_is_kept_as_test_is(done: Path) -> None:
    record = record_of(done)
    assert record.dev is not None
    lines = lines_of(done, DEV_PREDICTIONS)
    assert total(line.correct["partial"] for line in lines) == record.dev.partial
    for line in lines_of(done, PREDICTIONS):
        assert len(line.known_gold) == len(line.gold)
        assert len(line.known_predicted) == len(line.predicted)


def test_the_same_names_are_not_asked_for_twice(done: Path, dataset: Path) -> None:
    again = run(done, dataset, "--swap-entities", "train")
    assert "done before" in again.out


def test_a_wrong_file_stops_the_command_before_it_trains(tmp_path: Path, dataset: Path) -> None:
    (tmp_path / "names.yaml").write_text("PLANE: [Concorde]\n")
    ended = run(tmp_path, dataset, "--swap-entities", "names.yaml")
    assert ended.code == 2
    assert "names.yaml: has names of PLANE" in " ".join(ended.err.split())
    assert "Traceback" not in ended.err
    assert not folder_of(tmp_path).exists()
