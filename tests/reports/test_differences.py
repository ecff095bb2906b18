"""Who is best and by how much: seeds that are paired or not, marks of one seed, and the finding."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from reports.differences import Differences, find_differences
from reports.load import Group, load_results
from reports.report import write_report
from reports.sections.differences import finding, needed_phrase
from suite.files import write_atomically
from suite.tasks.scores import Scores
from suite.uncertainty.power import Needed
from tests.reports.folder import outcomes, plan, record, write_run
from tests.reports.markdown import rows, section
from tests.reports.test_outside import NAME, bring

GOLD = 4
"""Of each of the folder's sentences."""


def answered(folder: Path, seed: int, skill: float) -> None:
    """Predictions that are right by chance, so that sentences and seeds differ."""
    rng = np.random.default_rng([seed, round(1000 * skill)])
    lines = []
    for outcome in outcomes(record("fastre", "nyt11", seed)):
        counted = Scores(correct=int(rng.binomial(GOLD, skill)), predicted=GOLD, gold=GOLD)
        counts = dict.fromkeys(outcome.correct, counted)
        lines.append(outcome.model_copy(update={"correct": counts}).model_dump_json())
    write_atomically(folder / "predictions.jsonl", "\n".join(lines))


def written(out: Path, skills: Mapping[str, Mapping[int, float]]) -> Group:
    """Runs of systems, each seed with its share of right answers."""
    seeds = sorted({seed for runs in skills.values() for seed in runs})
    plan(datasets=("nyt11",), systems=tuple(skills), seeds=seeds).write(out)
    for system, runs in skills.items():
        for seed, skill in runs.items():
            answered(write_run(out, record(system, "nyt11", seed), []), seed, skill)
    (group,) = load_results(out).groups
    return group


def seeds(count: int, skill: float, first: int = 0) -> dict[int, float]:
    return dict.fromkeys(range(first, first + count), skill)


def found_of(out: Path, skills: Mapping[str, Mapping[int, float]]) -> tuple[Group, Differences]:
    group = written(out, skills)
    return group, find_differences(group)


def test_seeds_that_both_have_are_paired_and_others_are_not(tmp_path: Path) -> None:
    for name, ours, theirs, said in (
        ("all", seeds(3, 0.6), seeds(3, 0.5), "n=3 (0, 1 and 2)"),
        ("some", seeds(3, 0.6), seeds(2, 0.5, 1), "n=2 (1 and 2)"),
        ("none", seeds(2, 0.6), seeds(2, 0.5, 7), "2 seeds against 2 seeds"),
        ("one", seeds(2, 0.6), seeds(2, 0.5, 1), "2 seeds against 2 seeds"),
        ("alone", seeds(3, 0.6), seeds(1, 0.5), "n=1 (0)"),
    ):
        _, found = found_of(tmp_path / name, {"fastre": ours, "casrel": theirs})
        (pair,) = found.pairs
        assert pair.seeds == said
        assert pair.difference.counts_seeds == (name != "alone")


def test_one_seed_is_marked_wherever_it_stands(tmp_path: Path) -> None:
    group = written(tmp_path, {"fastre": seeds(1, 0.9), "casrel": seeds(1, 0.3)})
    assert finding(group, find_differences(group)) == (
        "FastRE has the highest F1 (91.5 %); with one seed no difference can be told from chance."
    )
    text = write_report(tmp_path).read_text()
    (pair,) = rows(section(text, "Differences", "NYT11"), "Systems")
    assert pair["p"] == pair["p, Holm"] == "none: one seed"
    assert pair["95 % interval"].endswith(" (test set alone)")
    assert pair["To settle it"] == "cannot be told with one seed"
    for row in rows(section(text, "Differences", "NYT11"), "Best in"):
        assert row["Best in"] == "not told"
        assert row["of its variance, seeds"] == "not known"
        assert row["95 % interval"].endswith(" (test set alone)")
    assert "no p-value is given" in section(text, "What to know first")


def test_a_difference_that_is_told_and_one_that_is_not(tmp_path: Path) -> None:
    skills = {"fastre": seeds(3, 0.8), "casrel": seeds(3, 0.3)}
    group, found = found_of(tmp_path / "two", skills)
    assert finding(group, found).endswith("and is told apart from CasRel.")
    group, found = found_of(tmp_path / "three", {**skills, "graphs": seeds(3, 0.79)})
    said = "Graphs has the highest F1 (78.2 %) but cannot be told apart from FastRE."
    assert finding(group, found) == said
    group, found = found_of(tmp_path / "all", {**skills, "graphs": seeds(3, 0.5)})
    assert finding(group, found).endswith("and is told apart from both others.")
    assert sum(standing.best or 0 for standing in found.standings) == pytest.approx(1)


def test_golden_numbers(tmp_path: Path) -> None:
    """Of a table as it was first computed: whatever changes one of them changes reports."""
    _, found = found_of(tmp_path, {"fastre": seeds(3, 0.62), "casrel": seeds(3, 0.56)})
    (pair,) = found.pairs
    d = pair.difference
    assert [100 * d.value, 100 * d.low, 100 * d.high, d.p] == pytest.approx(GOLDEN, abs=0.006)
    assert [standing.best for standing in found.standings] == pytest.approx(BEST, abs=0.006)


GOLDEN = [8.83, 3.06, 14.55, 0.021]
BEST = [0.988, 0.012]


def test_a_row_with_a_missing_seed_is_not_ranked(text: str) -> None:
    part = section(text, "Differences", "NYT11, part 1")
    assert [row["System"] for row in rows(part, "Best in")] == ["FastRE"]
    assert [row["Systems"] for row in rows(part, "Systems")] == ["FastRE minus CasRel"]


def test_a_file_of_predictions_is_one_run(tmp_path: Path) -> None:
    written(tmp_path, {"fastre": seeds(3, 0.6)})
    bring(tmp_path, record("fastre", "nyt11", 0))
    (group,) = load_results(tmp_path).groups
    (pair,) = find_differences(group).pairs
    assert pair.seeds == "3 seeds against 1 file"
    assert pair.difference.p is None
    bring(tmp_path, record("fastre", "nyt11", 1, (120, 180, 200, 90)), 1)
    (group,) = load_results(tmp_path).groups
    found = find_differences(group)
    assert found.pairs[0].difference.p is not None
    assert [standing.row.label for standing in found.standings] == ["FastRE", NAME]


def test_equal_systems_are_settled_by_nothing(tmp_path: Path) -> None:
    plan(datasets=("nyt11",), systems=("fastre", "casrel"), seeds=(0, 1)).write(tmp_path)
    for system in ("fastre", "casrel"):
        for seed in (0, 1):
            write_run(tmp_path, record(system, "nyt11", seed), [])
    (pair,) = rows(section(write_report(tmp_path).read_text(), "Differences"), "Systems")
    assert pair["To settle it"] == "nothing: the two are equal"
    assert (pair["p"], pair["95 % interval"]) == ("1.000", "+0.0 to +0.0")


def test_a_tie_says_what_would_settle_it(tmp_path: Path) -> None:
    written(tmp_path, {"fastre": seeds(3, 0.62), "casrel": seeds(3, 0.60)})
    (pair,) = rows(section(write_report(tmp_path).read_text(), "Differences"), "Systems")
    assert "seed" in pair["To settle it"]
    assert "sentence" in pair["To settle it"]


@pytest.mark.parametrize(
    ("needed", "said"),
    [
        (Needed("seeds", number=0), "no more seeds than there are"),
        (Needed("seeds", number=1), "1 more seed"),
        (Needed("seeds", number=12), "12 more seeds"),
        (Needed("seeds", most=100), "more than 100 seeds"),
        (Needed("seeds"), "no number of seeds alone"),
        (Needed("seeds", told=False), "cannot be told with one seed"),
    ],
)
def test_what_would_settle_a_tie_in_words(needed: Needed, said: str) -> None:
    assert needed_phrase(needed, "seed") == said
