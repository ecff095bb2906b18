"""Output folders of several commands become one, with one report."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runners.joining.join import join
from suite.errors import SuiteError
from suite.files import write_atomically
from suite.locks import held
from suite.records.run import RunRecord
from suite.records.suite import SuitePlan, read_suite_plan
from suite.studies.study import find_study
from tests.reports.folder import ENVIRONMENT, stopped, write_run
from tests.reports.markdown import rows, section
from tests.runners.joining.outputs import OTHER, joined, kept, plan_of, run_of, write

ELSEWHERE = ENVIRONMENT.model_copy(update={"processor": "Another CPU"})


def nothing(folder: Path) -> None:
    """No report."""


def test_one_report_of_several_folders(tmp_path: Path) -> None:
    one = write(tmp_path / "one", *(run_of(seed) for seed in range(3)))
    two = write(tmp_path / "two", run_of(0, "casrel", slowness=8), run_of(0, dataset="nyt11"))
    out, said, text = joined([one, two], tmp_path / "new")
    assert said == []
    assert list(kept(out)) == [
        "casrel/webnlg-star/0",
        "fastre/nyt11/0",
        "fastre/webnlg-star/0",
        "fastre/webnlg-star/1",
        "fastre/webnlg-star/2",
    ]
    main = {
        row["System"]: row["Seeds"]
        for row in rows(section(text, "Main results", "WebNLG*"), "Seeds")
    }
    assert main == {"FastRE": "n=3", "CasRel": "n=1"}
    assert "Suite `new` of" in text
    assert "Joined from 2 folders, named with their commands. " in text
    commands = section(text, "Protocol, environment, systems and sources", "Commands")
    for name in ("one", "two"):
        assert f"# {name} of 2026-01-02T03:00:00+00:00\nrun-suite --dataset nyt11" in commands
    assert "no record" not in text, "nobody planned CasRel's seeds 1 and 2"
    assert text.count("run-suite --dataset nyt11 --suite-name 'two words'") == 2


def test_the_plan_is_that_of_all(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(3))
    planned = plan_of(run_of(0), run_of(1), run_of(0, "casrel"), run_of(1, "casrel"))
    two = write(tmp_path / "two", run_of(0, "casrel"), run_of(1), planned=planned)
    out, _, text = joined([one, two], tmp_path / "new")
    plan = read_suite_plan(out / "suite.json")
    assert (plan.name, plan.systems, plan.seeds) == ("new", ("fastre", "casrel"), (0, 1, 3))
    assert [part.name for part in plan.joined] == ["one", "two"]
    assert "**no record**: fastre on webnlg-star, seed 0" in text
    assert "**no record**: casrel on webnlg-star, seed 1: planned" in text
    assert "seed 3: planned" not in text


def test_the_plan_is_a_command_where_options_do_not_differ(tmp_path: Path) -> None:
    runs = {"one": run_of(3), "two": run_of(0, "casrel")}
    shared = {"epochs": 8, "dataset": ["webnlg-star"]}
    for name, run in runs.items():
        own = {"seeds": f"{run.seed},", "system": [run.system.key], "out": name}
        write(tmp_path / name, run, planned=plan_of(run, options={**shared, **own}))
    out, *_ = joined([tmp_path / name for name in runs], tmp_path / "new")
    assert read_suite_plan(out / "suite.json").options == {
        **{"epochs": 8, "dataset": ["webnlg-star"], "system": ["fastre", "casrel"]},
        **{"seeds": "0,3,", "out": str(tmp_path / "new")},
    }


def test_whole_run_folders_come_along(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", run_of(0)), write(tmp_path / "two", run_of(1))
    out, *_ = joined([one, two], tmp_path / "new")
    place = Path("runs", "fastre", "webnlg-star", "0")
    names = {path.name for path in (out / place).iterdir()}
    assert names == {
        *("record.json", "run.json", "history.jsonl", "predictions.jsonl", "log.txt", "model"),
    }
    for name in ("predictions.jsonl", "model/weights"):
        assert (out / place / name).samefile(one / place / name), "large files are kept once"
    for name in ("record.json", "history.jsonl", "log.txt"):
        assert not (out / place / name).samefile(one / place / name), "these are written in"
    write_atomically(out / place / "predictions.jsonl", "other")
    assert (one / place / "predictions.jsonl").read_text() != "other"
    assert not list(tmp_path.glob(".*"))


def test_files_are_copied_where_there_are_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    one = write(tmp_path / "one", run_of(0))
    join([one], tmp_path / "new", apart=False, finish=nothing)
    place = Path("runs", "fastre", "webnlg-star", "0", "model", "weights")
    assert (tmp_path / "new" / place).read_bytes() == b"weights"
    assert not (tmp_path / "new" / place).samefile(one / place)


@pytest.mark.parametrize(
    ("first", "other", "kept_alone", "why"),
    [
        (None, True, True, "the one of two, which was measured alone"),
        (False, True, True, "the one of two, which was measured alone"),
        (True, False, True, "the one of one, which was measured alone"),
        (False, None, None, "the one of two, which was measured alone"),
        (True, True, True, "the one of one, the first"),
    ],
)
def test_equal_runs_are_kept_once(
    tmp_path: Path, first: bool | None, other: bool | None, kept_alone: bool | None, why: str
) -> None:
    one = write(tmp_path / "one", run_of(0, alone=first))
    two = write(tmp_path / "two", run_of(0, alone=other), run_of(1))
    out, said, text = joined([one, two], tmp_path / "new")
    assert said == [f"fastre · webnlg-star · seed 0: {why}"]
    assert read_suite_plan(out / "suite.json").kept_once == tuple(said)
    assert "; 1 run that lay in several kept once. " in text
    assert len(kept(out)) == 2
    record = kept(out)["fastre/webnlg-star/0"]
    assert {cost.alone for cost in record.inference} == {kept_alone}
    assert rows(section(text, "Main results"), "Seeds")[0]["Seeds"] == "n=2"


def test_a_run_of_another_machine_is_equal(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))
    two = write(tmp_path / "two", *(run_of(seed, environment=ELSEWHERE) for seed in (0, 1)))
    out, _, text = joined([one, two], tmp_path / "new")
    assert kept(out)["fastre/webnlg-star/0"].environment == ENVIRONMENT
    assert "Scores of 2 machines stand in one table" in text


@pytest.mark.parametrize("order", ["cut off first", "cut off last"])
def test_a_run_that_ended_is_kept_before_one_that_was_cut_off(tmp_path: Path, order: str) -> None:
    cut = write(tmp_path / "cut", stopped(run_of(0), "interrupted", "stopped by the user"))
    whole = write(tmp_path / "whole", run_of(0))
    folders = [cut, whole] if order == "cut off first" else [whole, cut]
    out, said, _ = joined(folders, tmp_path / "new")
    assert kept(out)["fastre/webnlg-star/0"].status == "complete"
    assert said == ["fastre · webnlg-star · seed 0: the one of whole, which ended"]


def test_a_run_that_was_begun_comes_along(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", run_of(0)), write(tmp_path / "two", run_of(1))
    begun = two / "runs" / "fastre" / "webnlg-star" / "2"
    (begun / "checkpoint").mkdir(parents=True)
    (begun / "run.json").write_text("{}")
    (begun / "checkpoint" / "last.pt").write_bytes(b"state")
    join([one, two], tmp_path / "new", apart=False, finish=nothing)
    found = tmp_path / "new" / "runs" / "fastre" / "webnlg-star" / "2"
    assert (found / "checkpoint" / "last.pt").read_bytes() == b"state"


UNLIKE = {
    "epochs 8 in one, 9 in two": run_of(0, protocol=OTHER),
    "F1 52.63 % on dev and 52.63 % on test in one, F1 55.26 % on dev": run_of(
        0, test=(105, 180, 200, 90)
    ),
    "complete in one, diverged in two, with equal settings": stopped(
        run_of(0), "diverged", "the loss is NaN"
    ),
}


@pytest.mark.parametrize("why", UNLIKE)
def test_unequal_runs_of_one_place_are_refused(tmp_path: Path, why: str) -> None:
    one = write(tmp_path / "one", run_of(0), run_of(1))
    two = write(tmp_path / "two", UNLIKE[why])
    with pytest.raises(SuiteError) as caught:
        join([one, two], tmp_path / "new", apart=False, finish=nothing)
    message = str(caught.value)
    run = "fastre · webnlg-star · seed 0"
    assert message.startswith(f"{run} is not the same in {one} and {two} (")
    assert why in message
    assert "--apart" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_other_scores_of_slices_are_unequal(tmp_path: Path) -> None:
    run = run_of(0)
    assert run.test is not None
    other = run.model_copy(update={"test": run.test.model_copy(update={"slices": {}})})
    assert other != run
    folders = [write(tmp_path / "one", run), write(tmp_path / "two", other)]
    with pytest.raises(SuiteError, match=r"seed 0 is not the same in .*one and .*two"):
        join(folders, tmp_path / "new", apart=False, finish=nothing)


def test_other_predictions_of_equal_scores_are_unequal(tmp_path: Path) -> None:
    one, two = (write(tmp_path / name, run_of(0)) for name in ("one", "two"))
    path = two / "runs" / "fastre" / "webnlg-star" / "0" / "predictions.jsonl"
    path.write_text(path.read_text().replace("some words", "other words"))
    with pytest.raises(SuiteError, match="other predictions, with equal settings and scores"):
        join([one, two], tmp_path / "new", apart=False, finish=nothing)


@pytest.mark.parametrize("why", UNLIKE)
def test_unequal_runs_are_told_apart_where_that_is_asked_for(tmp_path: Path, why: str) -> None:
    one = write(tmp_path / "one", run_of(0), run_of(1))
    two = write(tmp_path / "two", UNLIKE[why])
    out, said, text = joined([one, two], tmp_path / "new", apart=True)
    assert said == []
    assert list(kept(out)) == [
        "fastre.two/webnlg-star/0",
        "fastre/webnlg-star/0",
        "fastre/webnlg-star/1",
    ]
    assert kept(out)["fastre.two/webnlg-star/0"].system.variant == "fastre.two"
    found = {
        row["System"]: row["Seeds"]
        for group in section(text, "Main results").split("\n### ")[1:]
        for row in rows(group, "Seeds")
    }
    assert found.keys() == {"FastRE", "FastRE (two)"}
    assert found["FastRE"] == "n=2"
    assert found["FastRE (two)"].startswith("0 of 1" if "diverged" in why else "n=1")
    assert "no record" not in text
    plan = read_suite_plan(out / "suite.json")
    assert plan.systems == ("fastre", "fastre.two")


def test_apart_of_three_folders_joins_those_that_agree(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))
    two = write(tmp_path / "two", run_of(0, protocol=OTHER))
    three = write(tmp_path / "three", run_of(0, protocol=OTHER), run_of(1, protocol=OTHER))
    out, said, _ = joined([one, two, three], tmp_path / "new", apart=True)
    assert said == ["fastre · webnlg-star · seed 0: the one of two, the first"]
    assert list(kept(out)) == [
        "fastre.two/webnlg-star/0",
        "fastre.two/webnlg-star/1",
        "fastre/webnlg-star/0",
    ]


def test_apart_of_three_folders_joins_the_seeds_of_one_row(tmp_path: Path) -> None:
    """The third has no seed of either, and the settings of the second."""
    one = write(tmp_path / "one", run_of(0))
    two = write(tmp_path / "two", run_of(0, protocol=OTHER))
    three = write(tmp_path / "three", run_of(1, protocol=OTHER))
    out, _, text = joined([one, two, three], tmp_path / "new", apart=True)
    assert {place: run.protocol.epochs for place, run in kept(out).items()} == {
        "fastre.two/webnlg-star/0": 9,
        "fastre.two/webnlg-star/1": 9,
        "fastre/webnlg-star/0": 8,
    }
    seeds = {row["System"]: row["Seeds"] for g in section(text, "Main results").split("\n### ")[1:]
             for row in rows(g, "Seeds")}  # fmt: skip
    assert seeds == {"FastRE": "n=1", "FastRE (two)": "n=2"}


def test_a_joined_folder_and_another_that_meet_at_one_place_are_refused_by_both_names(
    tmp_path: Path,
) -> None:
    one = write(tmp_path / "one", run_of(0))
    two = write(tmp_path / "a" / "runs", run_of(0, "casrel"))
    first, *_ = joined([one, two], tmp_path / "b" / "runs")
    three = write(tmp_path / "three", run_of(0, "casrel", protocol=OTHER), run_of(1, "casrel"))
    before = {place: run.configuration for place, run in kept(first).items()}
    with pytest.raises(SuiteError) as caught:
        join([two, first, three], tmp_path / "new", apart=False, finish=nothing)
    message = str(caught.value)
    assert message.startswith(
        f"casrel · webnlg-star · seed 0 is not the same in {two} (runs-1) and {three} "
        "(epochs 8 in runs-1, 9 in three)"
    )
    assert message.count("is not the same") == 1, "seed 1 is in one folder alone"
    assert {place: run.configuration for place, run in kept(first).items()} == before
    out, said, _ = joined([two, first, three], tmp_path / "new", apart=True)
    assert said == ["casrel · webnlg-star · seed 0: the one of runs-1, the first"]
    assert {place: (r.configuration, r.seed) for place, r in kept(out).items()} == {
        "casrel.three/webnlg-star/0": (run_of(0, "casrel", protocol=OTHER).configuration, 0),
        "casrel.three/webnlg-star/1": (run_of(1, "casrel").configuration, 1),
        "casrel/webnlg-star/0": (before["casrel/webnlg-star/0"], 0),
        "fastre/webnlg-star/0": (before["fastre/webnlg-star/0"], 0),
    }


def test_what_stands_apart_takes_no_variants_place(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))
    own = run_of(0)
    named = own.model_copy(
        update={"system": own.system.model_copy(update={"variant": "fastre.two"})}
    )
    planned = plan_of(run_of(0, protocol=OTHER), named)
    two = write(tmp_path / "two", run_of(0, protocol=OTHER), planned=planned)
    (two / "runs" / "fastre.two").mkdir()
    write_run(two, named, [], "fastre.two")
    out, *_ = joined([one, two], tmp_path / "new", apart=True)
    assert list(kept(out)) == [
        "fastre.two-2/webnlg-star/0",
        "fastre.two/webnlg-star/0",
        "fastre/webnlg-star/0",
    ]


def test_a_joined_folder_can_be_joined(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))
    two = write(tmp_path / "two", run_of(0, protocol=OTHER))
    first, *_ = joined([one, two], tmp_path / "first", apart=True)
    three = write(tmp_path / "three", run_of(1))
    out, _, text = joined([first, three], tmp_path / "new")
    assert list(kept(out)) == [
        "fastre.two/webnlg-star/0",
        "fastre/webnlg-star/0",
        "fastre/webnlg-star/1",
    ]
    assert [part.name for part in read_suite_plan(out / "suite.json").joined] == [
        *("one", "two", "three"),
    ]
    assert "Joined from 3 folders" in text


def test_folders_of_one_name_are_numbered(tmp_path: Path) -> None:
    one = write(tmp_path / "a" / "runs", run_of(0))
    two = write(tmp_path / "b" / "runs", run_of(0, protocol=OTHER))
    out, _, text = joined([one, two], tmp_path / "new", apart=True)
    assert "fastre.runs-2/webnlg-star/0" in kept(out)
    assert "FastRE (runs-2)" in text


def test_folders_of_several_tasks_have_tables_of_their_own(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))
    two = write(tmp_path / "two", run_of(0, dataset="conll03"))
    _, _, text = joined([one, two], tmp_path / "new")
    assert "The datasets are for 2 tasks, whose figures do not compare" in text


def test_data_of_one_name_that_differ_have_tables_of_their_own(tmp_path: Path) -> None:
    """Where no two runs meet at one place."""
    other = run_of(1)
    fingerprints = dict.fromkeys(other.dataset.fingerprints, "f" * 64)
    facts = other.dataset.model_copy(update={"fingerprints": fingerprints})
    planned = plan_of(other)
    dataset = planned.datasets[0].model_copy(
        update={"facts": facts, "statistics": {"test": {"examples": 77}}}
    )
    one = write(tmp_path / "one", run_of(0))
    two = write(
        tmp_path / "two",
        other.model_copy(update={"dataset": facts}),
        planned=planned.model_copy(update={"datasets": (dataset,)}),
    )
    _, _, text = joined([one, two], tmp_path / "new")
    assert "WebNLG*, part 2 stands in a table of its own: SHA-256 of train" in text
    assert "| 77 |" in text, "each is told of by the plan of its own data"


def test_what_one_command_could_not_run_and_another_could(tmp_path: Path) -> None:
    barred = plan_of(run_of(0), run_of(0, "casrel"), run_of(0, "graphs"))
    cannot = [
        {"system": name, "dataset": "webnlg-star", "kind": "missing resource", "reason": "none"}
        for name in ("casrel", "graphs")
    ]
    barred = type(barred).model_validate({**barred.model_dump(), "cannot": cannot})
    one = write(tmp_path / "one", run_of(0), planned=barred)
    two = write(tmp_path / "two", run_of(0, "casrel"))
    _, _, text = joined([one, two], tmp_path / "new")
    assert "**not run**: graphs on webnlg-star: none." in text
    assert "casrel on webnlg-star: none" not in text


@pytest.mark.parametrize("where", ["is one of", "within", "there", "empty"])
def test_a_new_folder_that_cannot_be(tmp_path: Path, where: str) -> None:
    one, two = write(tmp_path / "one", run_of(0)), write(tmp_path / "two", run_of(1))
    out = {"is one of": two, "within": two / "new"}.get(where, tmp_path / "new")
    if where == "there":
        out.write_text("a file")
    elif where == "empty":
        out.mkdir()
    before = sorted(tmp_path.rglob("*"))
    message = {
        "is one of": "two: is one of the folders that are to be joined",
        "within": "new: lies within .*two, which is to be joined",
    }.get(where, "new: is there already. Name a new folder with --out")
    with pytest.raises(SuiteError, match=message):
        join([one, two], out, apart=False, finish=nothing)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))
    (tmp_path / "file").write_text("")
    with pytest.raises(SuiteError, match=r"new: cannot be made: (Not a directory|File exists)"):
        join([one], tmp_path / "file" / "new", apart=False, finish=nothing)


def test_a_folder_that_is_named_twice(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))
    (tmp_path / "link").symlink_to(one)
    with pytest.raises(SuiteError, match=r"link: is .*one, which is named already"):
        join([one, tmp_path / "link"], tmp_path / "new", apart=False, finish=nothing)


@pytest.mark.parametrize("kind", ["nowhere", "empty", "a search's"])
def test_a_folder_that_is_no_output(tmp_path: Path, kind: str) -> None:
    one, other = write(tmp_path / "one", run_of(0)), tmp_path / "other"
    if kind != "nowhere":
        other.mkdir()
    if kind == "a search's":
        (other / "search.json").write_text("{}")
    message = "other: is no output folder of run-suite: it holds no suite.json"
    with pytest.raises(SuiteError, match=message) as caught:
        join([one, other], tmp_path / "new", apart=False, finish=nothing)
    assert ("its finals are in" in str(caught.value)) == (kind == "a search's")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["suite.json", "runs/fastre/webnlg-star/1/record.json"])
def test_a_folder_of_another_format(tmp_path: Path, name: str) -> None:
    one, two = write(tmp_path / "one", run_of(0)), write(tmp_path / "two", run_of(1))
    path = two / name
    path.write_text(path.read_text().replace('"format": 2', '"format": 1', 1))
    with pytest.raises(SuiteError, match="of format 1, and this version reads format 2"):
        join([one, two], tmp_path / "new", apart=False, finish=nothing)
    assert not (tmp_path / "new").exists()


def test_a_run_that_is_under_way(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))
    place = one / "runs" / "fastre" / "webnlg-star" / "0"
    with (
        held(place / ".lock", SuiteError("busy")),
        pytest.raises(SuiteError, match="0: another process works on this run"),
    ):
        join([one], tmp_path / "new", apart=False, finish=nothing)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one"]


def test_something_that_cannot_be_copied(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))
    os.mkfifo(one / "runs" / "fastre" / "webnlg-star" / "0" / "pipe")
    with pytest.raises(SuiteError, match="pipe: cannot be copied: it is no regular file"):
        join([one], tmp_path / "new", apart=False, finish=nothing)
    assert not (tmp_path / "new").exists()


def test_a_report_that_fails_leaves_nothing(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))

    def fail(folder: Path) -> None:
        assert (folder / "suite.json").is_file()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        join([one], tmp_path / "new", apart=False, finish=fail)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one"]


def test_what_a_killed_command_left_is_removed(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))
    dead, living = (tmp_path / f".new.joining-{number}" for number in (1, 2))
    for folder in (dead, living):
        folder.mkdir()
    with held(living / ".lock", SuiteError("busy")):
        join([one], tmp_path / "new", apart=False, finish=nothing)
    assert not dead.exists()
    assert living.exists()


def of_study(run: RunRecord, name: str) -> SuitePlan:
    return plan_of(run, study=find_study(name))


def test_folders_of_two_studies_are_refused(tmp_path: Path) -> None:
    for name, run, study in (
        ("one", run_of(0), "fastre-table2"),
        ("two", run_of(1), "fastre-table4"),
    ):
        write(tmp_path / name, run, planned=of_study(run, study))
    message = "two: is of another study than .*one: 'fastre-table2' in one and 'fastre-table4' in"
    with pytest.raises(SuiteError, match=message):
        join([tmp_path / "one", tmp_path / "two"], tmp_path / "new", apart=False, finish=nothing)
    assert not (tmp_path / "new").exists()


def test_a_study_keeps_its_table_beside_other_runs(tmp_path: Path) -> None:
    one = write(tmp_path / "one", run_of(0))
    run = run_of(0, protocol=OTHER)
    two = write(tmp_path / "two", run, planned=of_study(run, "fastre-table2"))
    _, _, text = joined([one, two], tmp_path / "new", apart=True)
    part = section(text, "The paper's table")
    assert "FastRE: main results" in part
    assert "In *Main results* alone: FastRE (one) (WebNLG*, part" in part, (
        "it is no run of the study"
    )
