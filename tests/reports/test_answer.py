"""The first screen: who leads in F1, in latency and in training, and what weakens that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from reports.answer import Limits, find_answer
from reports.load import Group, load_results
from reports.sections.answer import section
from suite.records.run import read_record
from tests.reports.folder import plan, record, write_run

RIGHT = {"fastre": 120, "casrel": 121, "graphs": 80}
"""Of 180 predicted and 200 that are right: 63.2, 63.7 and 42.1 % F1."""

SLOWNESS = {"fastre": 1.0, "casrel": 4.0, "graphs": 0.5}


def group_of(out: Path, right: Mapping[str, int], seeds: int = 1) -> Group:
    plan(datasets=("webnlg-star",), systems=tuple(right), seeds=range(seeds)).write(out)
    for system, correct in right.items():
        for seed in range(seeds):
            counts = (correct + seed, 180, 200, correct)
            run = record(system, "webnlg-star", seed, counts, slowness=SLOWNESS[system])
            write_run(out, run, [])
    (group,) = load_results(out).groups
    return group


def screen(group: Group, limits: Limits | None = None) -> str:
    return section([group], {group.key: find_answer(group)}, {}, limits or Limits())


def test_each_kind_of_leader_is_named(tmp_path: Path) -> None:
    text = screen(group_of(tmp_path, RIGHT))
    for line in (
        "- **CasRel has the highest F1 (63.7 %); with one seed no difference can be told",
        "- **Fastest within 1 point of it: FastRE**, 10.0 ms per sentence at batch 1; the fastest "
        "of all, Graphs, takes 5.00 ms for 21.6 points less.",
        "- **Cheapest to train: Graphs**, 2.00 minutes for F1 42.1 %.",
        "- **One seed**: all; no difference of theirs is told from chance.",
    ):
        assert line in text


def test_one_system_alone_leads_in_nothing(tmp_path: Path) -> None:
    text = screen(group_of(tmp_path, {"fastre": 120}))
    for line in (
        "- **Only one system (F1 63.2 %): nothing to compare.**",
        "- **Latency**: 10.0 ms per sentence at batch 1.",
        "- **Training**: 4.00 minutes.",
        "- **One seed**: how far another would lie is not known.",
    ):
        assert line in text
    assert "Fastest" not in text
    assert "Cheapest" not in text


@pytest.mark.parametrize(
    ("correct", "line"),
    [
        (120, "- **Without training: Graphs has F1 63.2 %**, no less than FastRE (63.2 %).\n"),
        (119, None),
    ],
)
def test_who_is_not_above_what_trains_nothing(
    tmp_path: Path, correct: int, line: str | None
) -> None:
    group_of(tmp_path, RIGHT | {"graphs": correct})
    place = tmp_path / "runs" / "graphs" / "webnlg-star" / "0"
    run = read_record(place / "record.json")
    assert run.training is not None
    bare = run.training.model_copy(update={"epochs": 0, "steps": 0})
    run.model_copy(update={"training": bare}).write(place)
    (group,) = load_results(tmp_path).groups
    text = screen(group)
    assert "Cheapest to train: Graphs" not in text
    assert (line in text) if line else ("Without training" not in text)


def test_what_trains_nothing_may_have_run_elsewhere(tmp_path: Path) -> None:
    group_of(tmp_path, RIGHT | {"graphs": 120}, seeds=2)
    for seed in range(2):
        place = tmp_path / "runs" / "graphs" / "webnlg-star" / str(seed)
        run = read_record(place / "record.json")
        assert run.training is not None
        bare = run.training.model_copy(update={"epochs": 0, "steps": 0})
        there = run.environment.model_copy(update={"processor": "Another CPU"})
        run.model_copy(update={"training": bare, "environment": there}).write(place)
    (group,) = load_results(tmp_path).groups
    assert len(group.machines) == 2
    assert "Without training: Graphs" in screen(group)


def test_three_seeds_are_no_doubt(tmp_path: Path) -> None:
    assert "One seed" not in screen(group_of(tmp_path, RIGHT, seeds=3))


@pytest.mark.parametrize(
    ("limits", "within", "said"),
    [
        (
            Limits(milliseconds=12),
            ["FastRE", "Graphs"],
            "12 ms per sentence at batch 1: FastRE**, F1 63.2 %; also Graphs.",
        ),
        (Limits(f1=63.5), ["CasRel"], "what was asked: F1 of 63.5 % or more: CasRel**, F1 63.7 %."),
        (
            Limits(milliseconds=1),
            [],
            "1 ms per sentence at batch 1: no system**; a figure that was not measured keeps to no "
            "limit.",
        ),
    ],
    ids=["latency", "f1", "none"],
)
def test_a_choice_keeps_to_its_limits(
    tmp_path: Path, limits: Limits, within: list[str], said: str
) -> None:
    group = group_of(tmp_path, RIGHT)
    assert [candidate.row.label for candidate in find_answer(group).within(limits)] == within
    assert f"- **Within {said}\n" in screen(group, limits)
