"""Documents, entities and upper bounds in the report."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from reports.figures.style import make_styles
from reports.load import Results, load_results
from reports.report import write_report
from suite.records.run import RunRecord
from suite.records.suite import Cannot
from tests.reports.folder import PROTOCOL, epochs, record, write_run
from tests.reports.markdown import rows, section, tables
from tests.reports.tasks import (
    BERT_DOCRED,
    GOLD,
    document_epochs,
    document_run,
    ner_run,
    of,
    plan_of,
)

BOUND = "BERT DocRED, gold entities (upper bound)"


def reported(out: Path) -> str:
    return write_report(out).read_text()


def documents(out: Path, dataset: str, *, labelled: bool = True, batch: int = 4) -> str:
    """The report of three seeds of BERT DocRED on one dataset."""
    plan_of((dataset,), ("bert_docred",)).write(out)
    protocol = PROTOCOL.model_copy(update={"document_batch_size": batch})
    for seed in range(3):
        run = document_run(dataset, seed, labelled=labelled, protocol=protocol)
        write_run(out, run, document_epochs(seed))
    return reported(out)


def test_documents_are_scored_as_their_field_does(tasks_text: str) -> None:
    part = section(tasks_text, "Main results", "Re-DocRED")
    (row,) = rows(part, "test F1 (%)")
    # 2 x 540, 541, 542 of 1,900: 56.842, 56.947, 57.053; of test 530 to 532: 55.789 to 56.0.
    assert row["dev F1 (%)"] == "56.9 ± 0.1"
    assert row["dev Ign F1 (%)"] == "50.0 ± 0.0"
    assert row["dev AUC (%)"] == "48.0 ± 0.0"
    assert row["test P (%)"] == "59.0 ± 0.1"
    assert row["test R (%)"] == "53.1 ± 0.1"
    assert row["test F1 (%)"] == "55.9 ± 0.1"
    assert row["test Ign F1 (%)"] == "49.0 ± 0.0"
    assert row["test AUC (%)"] == "48.0 ± 0.0"
    assert row["test Ign AUC (%)"] == "45.0 ± 0.0"
    assert row["theta (from dev)"] == "0.3200 ± 0.0100"
    assert "partial" not in part
    assert "exact" not in part
    assert "it is fitted on dev" in part
    for title in ("Inference efficiency", "Convergence", "Slices", "Differences", "Data"):
        assert "exact" not in section(tasks_text, title, "Re-DocRED")


def test_entities_are_scored_as_their_field_does(tasks_text: str) -> None:
    part = section(tasks_text, "Main results", "CoNLL-2003")
    row = rows(part, "F1, exact: type and span (%)")[0]
    headings = list(row)
    assert headings.index("F1, exact: type and span (%)") < headings.index(
        "F1, partial: type and first word (%)"
    )
    # 850, 851, 852 of 950 predicted and 1,000 gold; under partial match 900.
    assert row["F1, exact: type and span (%)"] == "87.3 ± 0.1"
    assert row["P, exact: type and span (%)"] == "89.6 ± 0.1"
    assert row["F1, partial: type and first word (%)"] == "92.3 ± 0.0"
    assert "epoch chosen by dev F1 under exact match" in part, "the protocol says partial"
    assert PROTOCOL.match == "partial"


def test_the_rule_that_holds_stands_in_every_heading(tasks_text: str) -> None:
    assert "dev F1 (exact match) first reached" in section(tasks_text, "Convergence", "CoNLL-2003")
    assert "dev F1 first reached" in section(tasks_text, "Convergence", "Re-DocRED")
    assert "dev F1 (partial match) first reached" in section(tasks_text, "Convergence", "WebNLG*")
    for title, words in (
        ("Slices", "Test F1 (%), exact match."),
        ("Differences", "Test F1, exact match, between"),
    ):
        assert words in section(tasks_text, title, "CoNLL-2003")
        assert "partial" not in section(tasks_text, title, "CoNLL-2003")
    assert "Test F1 (%).\n" in section(tasks_text, "Slices", "Re-DocRED")


def test_slices_of_each_task(tasks_text: str) -> None:
    entities = section(tasks_text, "Slices", "CoNLL-2003")
    assert [table[2][0] for table in tables(entities)] == ["PER", "flat", "seen", "1 to 20 words"]
    kinds = [row[0] for row in tables(entities)[0][2:]]
    assert kinds == ["PER", "ORG", "LOC", "MISC", "cell_type", "protein", "biomedical_other"]
    facts = section(tasks_text, "Slices", "Re-DocRED")
    assert [table[2][0] for table in tables(facts)] == ["in a sentence", "seen", "P0"]


def test_times_are_of_documents_or_of_sentences(tasks_text: str) -> None:
    part = section(tasks_text, "Inference efficiency", "Re-DocRED")
    assert "Batch 1: ms per document, median" in part
    assert "encode (ms per document)" in part
    assert "sentence" not in part
    assert "Batch 1: ms per sentence, median" in section(
        tasks_text, "Inference efficiency", "CoNLL-2003"
    )
    assert "FastRE" not in section(tasks_text, "Inference efficiency", "CoNLL-2003"), (
        "it does no such task"
    )


def test_training_accuracies_are_of_the_chosen_epoch(tasks_text: str) -> None:
    (row,) = rows(section(tasks_text, "Convergence", "Re-DocRED"), "non-NA (%)")
    # Epoch 7 of 8: 0.9 + 0.07, 0.35, 0.87.
    assert (row["NA (%)"], row["non-NA (%)"], row["total (%)"]) == (
        "97.0 ± 0.0",
        "35.0 ± 0.0",
        "87.0 ± 0.0",
    )
    assert "non-NA" not in section(tasks_text, "Convergence", "WebNLG*")


def test_statistics_of_each_task(tasks_text: str) -> None:
    found = {
        name: {
            row["Measure"]: row["test"]
            for row in rows(section(tasks_text, "Data", name), "Measure")
        }
        for name in ("Re-DocRED", "CoNLL-2003")
    }
    assert found["Re-DocRED"]["documents"] == "500"
    assert found["Re-DocRED"]["facts that stand in train (%)"] == "25.0"
    assert found["Re-DocRED"]["facts across sentences"] == "8,000"
    assert found["CoNLL-2003"]["sentences"] == "3,453"
    assert found["CoNLL-2003"]["entities that stand in train (%)"] == "50.0"
    assert found["CoNLL-2003"]["entities by type: PER"] == "1,617"
    assert found["CoNLL-2003"]["entities beyond the cut"] == "3"
    assert not any("triples" in measure for names in found.values() for measure in names)


def test_ceilings_have_a_table_of_their_own(tasks_text: str) -> None:
    for name in ("WebNLG*", "Re-DocRED", "CoNLL-2003"):
        assert section(tasks_text, "Data", name).count("#### Ceiling of each tagging scheme\n") == 1
    (dev, test) = rows(section(tasks_text, "Data", "Re-DocRED"), "F1 (%)")
    assert (dev["Split"], dev["F1 (%)"]) == ("dev", "94.7 ± 0.0")
    assert (test["Split"], test["F1 (%)"]) == ("test", "not labelled")
    train = rows(section(tasks_text, "Data", "CoNLL-2003"), "F1, exact (%)")[0]
    assert (train["F1, exact (%)"], train["F1, partial (%)"]) == ("96.4 ± 0.0", "96.9 ± 0.0")


def test_an_upper_bound_stands_last_and_is_ranked_with_none(tasks_text: str) -> None:
    """The plan names it first."""
    for title in ("Main results", "Inference efficiency", "Convergence", "Data"):
        for table in tables(section(tasks_text, title, "WebNLG*")):
            systems = [row[table[0].index("System")] for row in table[2:] if "System" in table[0]]
            places = [place for place, name in enumerate(systems) if name == BOUND]
            batches = table[0][0] == "Batch"
            assert all(p == len(systems) - 1 or batches for p in places), table
    main = section(tasks_text, "Main results", "WebNLG*")
    assert f"{BOUND} is given the gold entities, which a system has to find" in main
    assert BOUND not in main.partition("#### Beside the published figures")[2]
    assert BOUND not in section(tasks_text, "Differences")
    assert "5 systems trained" in tasks_text
    assert "Beside them: BERT DocRED, gold entities, an upper bound" in tasks_text


def test_a_report_of_several_tasks_says_so(tasks_text: str, text: str) -> None:
    assert "The datasets are for 3 tasks, whose figures do not compare" in tasks_text
    assert "- entities of sentences: CoNLL-2003\n" in tasks_text
    assert "tasks, whose figures" not in text, "all of its datasets hold triples"
    numbers = re.findall(r"^## (\d+)\. (.*)$", tasks_text, re.MULTILINE)
    assert [int(number) for number, _ in numbers] == list(range(1, 12))
    assert numbers[4][1] == "Accuracy against speed"


def test_systems_of_other_tasks_share_a_line(tasks_text: str) -> None:
    warnings = section(tasks_text, "What to know first")
    assert (
        "**not run**: fastre, casrel and bert_docred on conll03: they do not do its task."
        in warnings
    )
    assert "**not run**: fastner on redocred: it reads sentences." in warnings


def test_what_a_row_was_built_from_is_told(tasks_text: str) -> None:
    warnings = section(tasks_text, "What to know first")
    assert (
        "Dependency trees are from `no parser: a chain of words`, in place of spaCy's "
        "`en_core_web_sm`: RelU-Net on WebNLG*." in warnings
    )
    assert "FastNER, settings 1 (bypass: true) and FastNER, settings 2 (bypass: false)" in warnings
    assert "| dependency parser | no parser: a chain of words |" in section(
        tasks_text, "Protocol, environment, systems and sources"
    )


def test_the_parser_of_the_papers_is_no_caveat(tmp_path: Path) -> None:
    plan_of(("webnlg-star",), ("casrel",), seeds=(0, 1)).write(tmp_path)
    for seed, parser in enumerate(("en_core_web_sm 3.8.0 (spaCy 3.8)", "en_ewt 1 (spaCy 3.8)")):
        run = record("casrel", "webnlg-star", seed)
        stand_ins = ("parser",) if seed else ()
        facts = run.system.model_copy(update={"parser": parser, "stand_ins": stand_ins})
        write_run(tmp_path, of(run, facts), [])
    warnings = section(reported(tmp_path), "What to know first")
    assert "Dependency trees are from `en_ewt 1 (spaCy 3.8)`" in warnings
    assert "Dependency trees are from `en_core_web_sm" not in warnings
    # Trees of two parsers are two systems, over which no mean is taken.
    (group,) = load_results(tmp_path).groups
    assert len(group.rows) == 2


def test_who_is_far_under_the_published_figure_comes_first(tasks_text: str) -> None:
    warnings = section(tasks_text, "What to know first")
    assert "RelU-Net on WebNLG*: 6.1 under the published 94.3" in warnings
    assert warnings.index("Under the published figure") < warnings.index("Word vectors are")


def test_a_test_set_without_labels(tmp_path: Path) -> None:
    text = documents(tmp_path, "docred", labelled=False)
    (row,) = rows(section(text, "Main results"), "test F1 (%)")
    tested = {heading: cell for heading, cell in row.items() if heading.startswith("test ")}
    assert set(tested.values()) == {"not labelled"}
    assert len(tested) == 6
    assert row["dev F1 (%)"] == "56.9 ± 0.1"
    assert row["theta (from dev)"] == "0.3200 ± 0.0100"
    assert "No slices: the test set is not labelled." in section(text, "Slices")
    assert "The test set is not labelled: nothing to compare." in section(text, "Differences")
    assert "The test set is not labelled: it has no scores here." in section(text, "Data")
    assert all(len({len(row) for row in table}) == 1 for table in tables(text))
    drawn = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert drawn == {"docred-convergence", "docred-iterations"}


def test_an_empty_gold_is_no_score_of_zero(tmp_path: Path) -> None:
    """A runner may score a test set without labels: every count of gold is 0 then."""
    plan_of(("docred",), ("bert_docred",), seeds=(0,)).write(tmp_path)
    run = document_run("docred", 0)
    empty = run.ceiling["test"].model_copy(update={"measures": {"auc": 0.0}})
    write_run(tmp_path, run.model_copy(update={"test": empty}), document_epochs(0))
    (row,) = rows(section(reported(tmp_path), "Main results"), "test F1 (%)")
    assert row["test F1 (%)"] == row["test AUC (%)"] == "not labelled"


def test_documents_beside_the_published_figures(tmp_path: Path) -> None:
    text = documents(tmp_path, "docred", labelled=False)
    found = {row["Measure"]: row for row in rows(section(text, "Main results"), "Published (%)")}
    assert list(found) == ["dev F1", "dev Ign F1", "dev AUC", "dev Ign AUC"]
    f1 = found["dev F1"]
    assert (f1["Here (%)"], f1["Published (%)"], f1["Difference"]) == ("56.9 ± 0.1", "56.82", "0.1")
    assert (f1["Batch there"], f1["Batch here"]) == ("4", "4")
    assert found["dev AUC"]["Published (%)"] == "54.37"
    (tested,) = rows(section(text, "Differences"), "Published")
    assert tested["Published"].startswith("56.82, dev (BERT DocRED")
    published = rows(section(text, "Published figures"), "Ign F1 (%)")
    assert len(published) == 8
    assert published[1]["theta"] == "0.3779"
    assert (published[-1]["Split"], published[-1]["F1 (%)"]) == ("test", "58.73")


def test_the_published_batch_is_named_where_the_runs_had_another(tmp_path: Path) -> None:
    text = documents(tmp_path, "docred", batch=2)
    row = rows(section(text, "Main results"), "Published (%)")[0]
    assert (row["Published (%)"], row["Batch there"], row["Batch here"]) == ("57.50", "8", "2")


def test_figures_on_docred_are_not_set_beside_redocred(tasks_text: str) -> None:
    assert "Published (%)" not in section(tasks_text, "Main results", "Re-DocRED")
    part = section(tasks_text, "Published figures", "redocred, as published")
    assert "These rows are on `docred`, whose texts Re-DocRED annotates anew" in part
    assert len(rows(part, "Ign F1 (%)")) == 8


def test_csv_holds_measures_bounds_and_parsers(tasks_reported: Path) -> None:
    frame = pd.read_csv(tasks_reported / "results.csv")
    of_documents = frame[frame["dataset"] == "redocred"].set_index("seed")
    assert of_documents["theta"].tolist() == pytest.approx([0.31, 0.32, 0.33])
    assert of_documents["test_ign_f1"].tolist() == pytest.approx([0.49] * 3)
    assert of_documents["dev_ign_f1"].tolist() == pytest.approx([0.5] * 3)
    assert of_documents["test_auc"].tolist() == pytest.approx([0.48] * 3)
    assert of_documents["dev_ign_auc"].tolist() == pytest.approx([0.45] * 3)
    assert "test_theta" not in frame
    assert set(of_documents["selection_match"]) == {"exact"}
    assert set(frame[frame["task"] == "triples"]["selection_match"]) == {"partial"}
    bounds = frame[frame["upper_bound"].notna()]
    assert set(bounds["system"]) == {"bert_docred_gold"}
    assert set(frame[frame["parser"].notna()]["system"]) == {"relu_net"}


def test_tables_and_images_are_whole(tasks_reported: Path, tasks_text: str) -> None:
    for table in tables(tasks_text):
        assert len({len(row) for row in table}) == 1
        assert all(cell for row in table for cell in row), f"an empty cell in {table[0]}"
    named = set(re.findall(r"!\[[^\]]*\]\(([^)]*)\)", tasks_text))
    assert named == {f"figures/{path.name}" for path in (tasks_reported / "figures").glob("*.png")}
    assert len(named) == 13
    assert "\n\n\n" not in tasks_text


def test_entities_of_a_failed_run_are_no_scores(tmp_path: Path) -> None:
    plan_of(("conll03",), ("fastner",), seeds=(0,)).write(tmp_path)
    bare = {"training": None, "dev": None, "test": None, "inference": (), "parameters": None}
    run = ner_run(0).model_copy(update={"status": "failed", "failure": "no memory", **bare})
    write_run(tmp_path, run, [])
    (row,) = rows(section(reported(tmp_path), "Main results"), "F1, exact: type and span (%)")
    assert row["F1, exact: type and span (%)"] == "failed"


def test_bounds_alone_are_no_reason_to_fail(tmp_path: Path) -> None:
    plan_of(("webnlg-star",), ("bert_docred_gold",), seeds=(0,)).write(tmp_path)
    write_run(tmp_path, of(record("casrel", "webnlg-star", 0), GOLD), epochs(0.5, 1, 0))
    text = reported(tmp_path)
    assert text.startswith("# BERT DocRED, gold entities on WebNLG*\n")
    assert "Only one system: nothing to compare." in section(text, "Differences")
    assert "No ratio to FastRE" in section(text, "Inference efficiency")


def loaded(tmp_path: Path, *runs: RunRecord) -> Results:
    plan_of(("webnlg-star",), ("fastre",), seeds=(0,), cannot=[]).write(tmp_path)
    for run in runs:
        write_run(tmp_path, run, [])
    return load_results(tmp_path)


def test_only_systems_are_ranked(tmp_path: Path) -> None:
    runs = [record("fastre", "webnlg-star", 0)]
    runs += [of(record("casrel", "webnlg-star", 0), facts) for facts in (GOLD, BERT_DOCRED)]
    (group,) = loaded(tmp_path, *runs).groups
    assert [row.label for row in group.rows] == ["FastRE", "BERT DocRED", BOUND]
    assert [row.label for row in group.systems] == ["FastRE", "BERT DocRED"]


def test_bounds_are_drawn_hollow(tasks_reported: Path) -> None:
    styles = make_styles(load_results(tasks_reported))
    assert {label for label, style in styles.items() if style.hollow} == {BOUND}
    assert styles[BOUND].face == "white"
    assert styles["FastRE"].face == styles["FastRE"].colour


def test_the_same_reason_on_one_dataset_is_told_once(tmp_path: Path) -> None:
    write_run(tmp_path, document_run("redocred", 0), [])
    why = "the encoder is not here"
    cannot = [
        Cannot(system=name, dataset="redocred", kind="missing resource", reason=why)
        for name in ("a", "b")
    ]
    plan_of(("redocred",), ("bert_docred",), cannot=cannot).write(tmp_path)
    assert f"**not run**: a and b on redocred: {why}." in section(
        reported(tmp_path), "What to know first"
    )
