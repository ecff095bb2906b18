"""The sections on predictions: conventions, generalisation, and scores, on runs by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from reports.figures import predictions as figures
from reports.figures.style import make_styles
from reports.load import Results, load_results
from reports.report import write_report
from reports.sections import generalisation
from suite.datasets import Dataset
from suite.files import write_lines
from suite.records.run import (
    DEV_PREDICTIONS,
    PREDICTIONS,
    SWAPPED_PREDICTIONS,
    SwappedTest,
    read_record,
)
from suite.records.suite import PlannedDataset
from suite.tasks.examples import Sentence, Triple
from suite.tasks.items import Prediction
from suite.tasks.scores import AnsweredExample, Evaluation, Scores
from tests.corpus import LIVES, dataset_of, sentence
from tests.given_runs import run_on
from tests.reports import folder
from tests.reports.markdown import rows, tables

KNOWN, NEW = 20, 20
"""Test sentences whose triple train has, and of which it has neither entity."""


def lives(i: int, where: str = "e") -> Sentence:
    person, place = f"Ada{i} Lee{i}", f"Rome{i}"
    return sentence(f"{where}-{i}", f"{person} lives in {place} .", (person, LIVES, place))


TRAIN = [lives(i, "t") for i in range(KNOWN)]
TEST = [lives(i) for i in range(KNOWN + NEW)]
DATASET = dataset_of(TRAIN, TEST)


def answers(known: int, new: int, *, sure: float = 0.9) -> list[list[Prediction]]:
    """So many of both kinds right; the others have a wrong head and a score that is unsure."""
    found = []
    for i, example in enumerate(TEST):
        (triple,) = example.triples
        right = i < known or KNOWN <= i < KNOWN + new
        wrong = Triple(triple.tail, LIVES, triple.tail)
        found.append([Prediction(triple, sure) if right else Prediction(wrong, 0.4)])
    return found


def write(out: Path, system: str, found: list[list[Prediction]], seed: int = 0) -> Path:
    record, lines = run_on(DATASET, found, seed)
    record = record.model_copy(update={"system": folder.SYSTEMS[system]})
    place = out / "runs" / system / "small" / str(seed)
    record.write(place)
    (place / PREDICTIONS).write_text(lines)
    (place / DEV_PREDICTIONS).write_text(lines)
    return place


def plan(out: Path, dataset: Dataset, *systems: str, seeds: tuple[int, ...] = (0,)) -> None:
    found = folder.plan(datasets=(), systems=systems, seeds=seeds)
    record, _ = run_on(dataset, answers(1, 1))
    described = PlannedDataset(facts=record.dataset, statistics={}, citation="n", licence="n")
    found.model_copy(update={"datasets": (described,)}).write(out)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FastRE has 18 of 20 known triples and 10 of 20 new ones, CasRel all and two."""
    out = tmp_path_factory.mktemp("out")
    plan(out, DATASET, "fastre", "casrel")
    place = write(out, "fastre", answers(18, 10))
    write(out, "casrel", answers(20, 2))
    swap(place)
    write_report(out)
    return out


def swap(place: Path) -> None:
    """Leaves scores with other names: half of the examples, every second of them not answered."""
    record = read_record(place / "record.json")
    lines = (place / PREDICTIONS).read_text().splitlines()[::2]
    half = [AnsweredExample.model_validate_json(line) for line in lines]
    silent = {"predicted": [], "known_predicted": []}
    lost = [line if i % 2 else line.model_copy(update=silent) for i, line in enumerate(half)]
    before, after = (
        Evaluation(partial=scores, exact=scores)
        for scores in (
            Scores(correct=14, predicted=20, gold=20),
            Scores(correct=6, predicted=10, gold=20),
        )
    )
    other = SwappedTest(
        names="train",
        examples=40,
        swapped=20,
        entities=40,
        left={"no entity": 20},
        before=before,
        after=after,
    )
    write_lines(place / SWAPPED_PREDICTIONS, lost)
    record.model_copy(update={"swapped": other}).write(place)


@pytest.fixture(scope="module")
def text(out: Path) -> str:
    return (out / "report.md").read_text()


def part(text: str, title: str) -> str:
    """A section by its title, whatever its number."""
    (found,) = (s for s in text.split("\n## ")[1:] if s.partition("\n")[0].endswith(title))
    return found


def test_recall_of_each_bin_by_hand(text: str) -> None:
    known, new = rows(part(text, "Generalisation"), "Recall, FastRE (n=1)")
    assert (known["What train has"], new["What train has"]) == ("triple", "neither entity")
    assert (known["Gold items"], new["Gold items"]) == ("20", "20")
    assert known["Recall, FastRE (n=1)"].startswith("90.0 (")
    assert new["Recall, FastRE (n=1)"].startswith("50.0 (")
    assert known["Recall, CasRel (n=1)"] == "100.0 (100.0 to 100.0)"
    assert new["Recall, CasRel (n=1)"].startswith("10.0 (")


def test_the_loss_and_what_it_says_of_the_claim(text: str) -> None:
    section = part(text, "Generalisation")
    fastre, casrel = rows(section, "Recall lost (points)")
    assert fastre["Recall lost (points)"].startswith("40.0 (")
    assert fastre["More than FastRE (points)"] == "-"
    assert casrel["Recall lost (points)"].startswith("90.0 (")
    assert casrel["More than FastRE (points)"].startswith("+50.0 (")
    first = section.split("\n\n")[1]
    assert first.startswith(
        "**From *triple* to *neither entity* the recall of FastRE falls by 40.0 ("
    )
    assert (
        "that is less than is lost by CasRel (difference -50.0), which supports the claim of its "
        "paper that it generalises better than those on BERT (section 3.7; test set alone)."
    ) in first


def test_the_claim_is_told_by_systems_on_a_pretrained_encoder_alone(tmp_path: Path) -> None:
    plan(tmp_path, DATASET, "fastre", "casrel", "graphs")
    write(tmp_path, "fastre", answers(18, 10))
    write(tmp_path, "casrel", answers(20, 20))
    write(tmp_path, "graphs", answers(20, 2))
    (group,) = load_results(tmp_path).groups
    found = generalisation.finding(group)
    assert "less than is lost by Graphs" in found
    assert "more than is lost by CasRel" in found
    assert "which contradicts the claim of its paper" in found


def test_precision_is_attributed(text: str) -> None:
    """Wrong predictions are of a known place with itself, or of an unknown one."""
    found = {
        row["What train has"]: row
        for row in rows(part(text, "Generalisation"), "Precision, FastRE (n=1)")
    }
    assert found["triple"]["Precision, FastRE (n=1)"].startswith("100.0 (")
    assert found["neither entity"]["Precision, FastRE (n=1)"].startswith("50.0 (")


def test_other_names_stand_beside_the_own(text: str) -> None:
    section = part(text, "Generalisation")
    (fastre,) = rows(section, "Difference (points)")
    # 14 of 20 and 20; 6 of 10 and 20.
    assert fastre["F1, partial match, own names (%)"] == "70.0"
    assert fastre["F1, partial match, other names (%)"] == "40.0"
    assert fastre["Difference (points)"] == "-30.0"
    low, high = fastre["95 % interval"].split(" to ")
    assert float(low) < -30 < float(high) < 0
    assert "20 of 40 test sentences with other names for all 40 entities" in section
    assert "Left out of both columns: no entity (20)." in section
    assert "With other names, the F1 of FastRE changes by -30.0 points." in section


def test_conventions_by_hand(text: str) -> None:
    section = part(text, "Scoring conventions")
    found = {row["Counted"]: row for row in rows(section, "Counted")}
    own = found["as here: partial/offsets"]
    # 28 of 40, 22 of 40.
    assert (own["FastRE (n=1)"], own["CasRel (n=1)"]) == ("70.0", "55.0")
    assert found["whole span, by place"]["FastRE (n=1)"] == "0.0"
    assert found["whole span and entity types"]["FastRE (n=1)"] == (
        "predicted triples have no entity types"
    )
    assert found["epoch chosen on test"]["CasRel (n=1)"] == "test was scored once"
    # Without the wrong ones, 28 of 28 predicted and 40 gold: 56 / 68; 44 / 62.
    assert found["score threshold chosen on test"]["FastRE (n=1)"] == "+12.4"
    assert found["score threshold chosen on test"]["CasRel (n=1)"] == "+16.0"
    first = section.split("\n\n")[1]
    assert "to +16.0 (CasRel, *score threshold chosen on test*)" in first
    assert "the order of the 2 systems is the same under all of them" in first
    for name in found:
        assert f"- *{name}*: " in section, "every line has its source"


def test_calibration_by_hand(text: str) -> None:
    section = part(text, "Scores and thresholds")
    fastre, casrel = rows(section, "Calibration error (points)")
    # Scores 0.9 of what is right and 0.4 of what is wrong: 0.1 and 0.4 off, 28 and 12 of 40.
    assert fastre["Calibration error (points)"] == "19.0"
    assert casrel["Calibration error (points)"] == "22.5"
    assert fastre["Precision (%)"] == "70.0"
    assert fastre["Mean score (%)"] == "75.0"
    assert fastre["Area under risk (%)"] == fastre["at best"], "no wrong one is surer"
    kept = rows(section, "Precision on dev")
    assert [row["Precision on dev"] for row in kept] == ["90 %", "90 %", "95 %", "95 %"]
    assert {row["Threshold"] for row in kept} == {"0.900"}
    assert kept[0]["Precision on test (%)"] == "100.0 (100.0 to 100.0)"
    assert kept[0]["Predictions kept (%)"] == "70.0"
    assert {row["On test"] for row in kept} == {"kept"}
    first = section.split("\n\n")[1]
    assert "The scores of FastRE are 19.0 points from its precision on average" in first
    assert "those of CasRel 22.5" in first
    assert "95 % precision holds on test for 2 of 2 systems" in first


def test_a_threshold_that_test_does_not_keep(tmp_path: Path) -> None:
    plan(tmp_path, DATASET, "fastre")
    place = write(tmp_path, "fastre", answers(5, 5))
    _, lines = run_on(DATASET, answers(20, 20, sure=0.4))
    (place / DEV_PREDICTIONS).write_text(lines)
    section = part(write_report(tmp_path).read_text(), "Scores and thresholds")
    kept = rows(section, "Precision on dev")[0]
    assert kept["Precision on test (%)"].startswith("25.0 (")
    assert kept["On test"] == "**not kept**"
    assert "holds on test for 0 of 1 system, clearly not for FastRE (25.0 %)" in section


def test_what_an_earlier_version_left_is_said(tmp_path: Path) -> None:
    """Without dev scores and without what train knew, the rest is told all the same."""
    plan(tmp_path, DATASET, "fastre")
    place = write(tmp_path, "fastre", answers(18, 10))
    (place / DEV_PREDICTIONS).unlink()
    lines = (place / PREDICTIONS).read_text()
    for name in ("triple", "pair of entities", "both entities", "one entity", "neither entity"):
        lines = lines.replace(f'["{name}"]', "[]")
    (place / PREDICTIONS).write_text(lines)
    text = write_report(tmp_path).read_text()
    assert ". Generalisation\n" not in text
    kept = rows(part(text, "Scores and thresholds"), "Precision on dev")
    assert {row["On test"] for row in kept} == {"its scores on dev were not kept"}
    assert part(text, "Scoring conventions")


def test_scores_that_are_all_equal_are_worth_nothing(tmp_path: Path) -> None:
    plan(tmp_path, DATASET, "fastre")
    write(tmp_path, "fastre", answers(18, 10, sure=0.4))
    text = write_report(tmp_path).read_text()
    assert ". Scores and thresholds\n" not in text
    found = {row["Counted"]: row for row in rows(part(text, "Scoring conventions"), "Counted")}
    assert found["score threshold chosen on test"]["FastRE (n=1)"] == "all scores are equal"


def test_seeds_are_summed_and_averaged(tmp_path: Path) -> None:
    plan(tmp_path, DATASET, "fastre", seeds=(0, 1))
    write(tmp_path, "fastre", answers(18, 10))
    write(tmp_path, "fastre", answers(20, 12), seed=1)
    text = write_report(tmp_path).read_text()
    known, new = rows(part(text, "Generalisation"), "Recall, FastRE (n=2)")
    assert known["Recall, FastRE (n=2)"].startswith("95.0 (")
    assert new["Recall, FastRE (n=2)"].startswith("55.0 (")
    assert new["Gold items"] == "20"
    assert "there is no other system to compare that with" in part(text, "Generalisation")
    found = {row["Counted"]: row for row in rows(part(text, "Scoring conventions"), "Counted")}
    # 70 and 80.
    assert found["as here: partial/offsets"]["FastRE (n=2)"] == "75.0 ± 7.1"


def test_tables_are_well_formed(text: str) -> None:
    for table in tables(text):
        assert len({len(row) for row in table}) == 1, table[0]
        assert all(cell for row in table for cell in row), table[0]


@pytest.fixture(scope="module")
def loaded(out: Path) -> Results:
    return load_results(out)


@pytest.mark.parametrize("name", ["generalisation", "calibration"])
def test_no_axis_goes_beyond_a_hundred_per_cent(
    loaded: Results, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []

    def keep(figure: Figure, *_: object) -> bytes:
        drawn.append(figure)
        return b""

    monkeypatch.setattr(figures, "finish", keep)
    assert getattr(figures, name)(loaded.groups[0], make_styles(loaded)) == b""
    (figure,) = drawn
    for ax in figure.axes:
        low, high = ax.get_ylim()
        assert low >= 0
        assert high <= 100
        for line in ax.lines:
            assert max(line.get_ydata(), default=0) <= 100  # type: ignore[arg-type]


def test_figures_are_named_in_the_report(out: Path, text: str) -> None:
    for name in ("generalisation", "calibration"):
        assert f"(figures/small-{name}.png)" in text
        assert (out / "figures" / f"small-{name}.png").read_bytes().startswith(b"\x89PNG")
