"""Folders between machines, and a run's resources where they lie on this one."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from runners.executors.base import PlannedRun
from runners.executors.parcels import (
    Files,
    Parcel,
    at_hand,
    own_paths,
    packed,
    parcel_of,
    unpack,
)
from runners.runs.run import planned_record
from runners.runs.workbench import Workbench
from suite.errors import SuiteError
from tests import tiny


class Given:
    """What the command's machine has, moved out of this one's sight."""

    def __init__(self, there: dict[Path, Path]) -> None:
        self.there, self.fetched = there, 0

    def __call__(self, path: Path) -> tuple[Parcel, object]:
        files = packed(self.there[path])
        parcel = parcel_of(path, files)

        def fetch() -> Files:
            self.fetched += 1
            return files

        return parcel, fetch


def planned(dataset: Path, folder: Path, **changes: object) -> PlannedRun:
    plan = tiny.make_plan(dataset, **changes)
    return PlannedRun(plan, folder, planned_record(Workbench(plan), ""))


def test_what_is_packed_is_unpacked(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "model").mkdir(parents=True)
    (folder / "record.json").write_text("{}")
    (folder / "model" / "weights").write_bytes(bytes(range(256)))
    (folder / ".lock").touch()
    files = packed(folder)
    assert files.keys() == {"record.json", "model/weights"}
    unpack(files, tmp_path / "copy")
    assert packed(tmp_path / "copy") == files


@pytest.mark.parametrize("name", ["../record.json", "/etc/x", "a/../../x"])
def test_nothing_is_unpacked_beside_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="leads out of its folder"):
        unpack({name: b""}, tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_parcel_is_told_by_names_and_contents() -> None:
    files = {"a": b"bc", "d": b""}
    first = parcel_of(Path("x"), files)
    for other in ({"a": b"b", "d": b"c"}, {"ab": b"c", "d": b""}, {"a": b"bc"}):
        assert parcel_of(Path("x"), other).digest != first.digest
    assert parcel_of(Path("x"), dict(reversed(files.items()))) == first


def test_a_folder_that_is_here_is_taken_as_it_is(dataset: Path, tmp_path: Path) -> None:
    run = planned(dataset, tmp_path / "run")
    given = Given({})
    assert at_hand(run, own_paths(run.plan), given, tmp_path / "cache") == run


def test_a_folder_that_is_not_here_is_fetched_once(dataset: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(dataset, tmp_path / "mine")
    run = planned(mine, tmp_path / "run")
    paths = own_paths(run.plan)
    given = Given({mine: mine.rename(tmp_path / "elsewhere")})
    found = at_hand(run, paths, given, tmp_path / "cache")
    assert Path(found.plan.dataset).name == "mine", "a dataset is called by its folder"
    assert tmp_path / "cache" in Path(found.plan.dataset).parents
    assert planned_record(Workbench(found.plan), "").configuration == run.planned.configuration
    assert at_hand(run, paths, given, tmp_path / "cache") == found
    assert given.fetched == 1


def test_other_data_under_the_same_path_are_not_taken(dataset: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(dataset, tmp_path / "mine")
    run = planned(mine, tmp_path / "run")
    paths = own_paths(run.plan)
    given = Given({mine: shutil.copytree(mine, tmp_path / "elsewhere")})
    lines = tiny.sentences("train")
    lines[0]["text"] += " !"
    train = mine / "train_triples.json"
    train.write_text(json.dumps(lines))
    found = at_hand(run, paths, given, tmp_path / "cache")
    assert given.fetched == 1
    assert planned_record(Workbench(found.plan), "").configuration == run.planned.configuration


def test_vectors_come_along(dataset: Path, tmp_path: Path) -> None:
    vectors = tmp_path / "there" / "v.txt"
    vectors.parent.mkdir()
    words = "Ada lives in Paris , house ."
    vectors.write_text("".join(f"{w} 0.1 0.2\n" for w in words.split()))
    plan = tiny.make_plan(dataset, vectors=vectors)
    bench = Workbench(plan)
    bench.load()
    run = PlannedRun(plan, tmp_path / "run", planned_record(bench, ""))
    moved = vectors.parent.rename(tmp_path / "moved") / "v.txt"
    given = Given({vectors: moved})
    found = at_hand(run, own_paths(plan), given, tmp_path / "cache")
    assert found.plan.vectors is not None
    assert found.plan.vectors.read_bytes() == moved.read_bytes()


def test_a_file_of_names_is_always_the_commands_own(dataset: Path, tmp_path: Path) -> None:
    """Another one may lie at its path, and no configuration tells the two apart."""
    names = tmp_path / "names.yaml"
    names.write_text("PER: [Zoe]")
    run = planned(dataset, tmp_path / "run")
    run = replace(run, plan=run.plan.model_copy(update={"swap_names": str(names)}))
    there = tmp_path / "there" / names.name
    there.parent.mkdir()
    there.write_text("PER: [Yann]")
    found = at_hand(run, own_paths(run.plan), Given({names: there}), tmp_path / "cache")
    assert found.plan.swap_names is not None
    assert Path(found.plan.swap_names).read_text() == "PER: [Yann]"


def test_what_gives_another_run_is_refused_with_the_difference(
    dataset: Path, tmp_path: Path
) -> None:
    run = planned(dataset, tmp_path / "run")
    other = planned(dataset, tmp_path / "run", seed=4)
    with pytest.raises(SuiteError, match=f"{run.title} cannot be done as it was planned"):
        at_hand(PlannedRun(run.plan, run.folder, other.planned), {}, Given({}), tmp_path / "cache")


def test_data_that_nobody_has_are_named(dataset: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(dataset, tmp_path / "mine")
    run = planned(mine, tmp_path / "run")
    shutil.rmtree(mine)
    with pytest.raises(SuiteError, match=r"mine.*Put the same data"):
        at_hand(run, {}, Given({}), tmp_path / "cache")
