"""The report as a whole: what it says of a folder whose figures are known."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from reports.answer import find_answers
from reports.cells import Picture
from reports.load import load_results
from reports.report import compose, sections, write_report
from suite.errors import SuiteError
from suite.tasks.scores import AnsweredExample
from tests.reports.folder import PROTOCOL, plan, record, stopped, write_run
from tests.reports.markdown import rows, section, tables

SECTIONS = (
    "The answer",
    "What to know first",
    "Main results",
    "Inference efficiency",
    "Convergence",
    "Slices",
    "Differences",
    "Data",
    "Protocol, environment, systems and sources",
    "Published figures",
)


def test_main_table_by_hand(text: str) -> None:
    main = rows(section(text, "Main results", "NYT11, part 1"), "F1, partial/surface (%)")
    fastre = main[0]
    # F1 of 100/180/200, 110/190/200, 105/170/200: 52.632, 56.410, 56.757; mean 55.266, s 2.288.
    assert fastre["System"] == "FastRE"
    assert fastre["Seeds"] == "n=3"
    assert fastre["F1, partial/surface (%)"] == "55.3 ± 2.3"
    # 55.556, 57.895, 61.765: mean 58.405, s 3.136; 50, 55, 52.5.
    assert fastre["P, partial/surface (%)"] == "58.4 ± 3.1"
    assert fastre["R, partial/surface (%)"] == "52.5 ± 2.5"
    # 180/380, 198/390, 182/370: 47.368, 50.769, 49.189; mean 49.109, s 1.702.
    assert fastre["F1, exact/surface (%)"] == "49.1 ± 1.7"
    assert fastre["Training and dev evaluation to chosen epoch (min)"] == "3.50 ± 0.00"
    assert fastre["Training in all (min)"] == "4.00 ± 0.00"
    assert fastre["Dev evaluation (min)"] == "0.400 ± 0.000"
    assert fastre["Inference, whole test set at batch 128 (s)"] == "0.100 ± 0.000"


def test_no_mean_is_taken_over_missing_seeds(text: str) -> None:
    casrel = rows(section(text, "Main results", "NYT11, part 1"), "F1, partial/surface (%)")[1]
    assert casrel["Seeds"] == "2 of 3 seeds (seed 2: diverged)"
    # 180/390 and 200/390, whose mean, 48.7, must stand nowhere.
    assert casrel["F1, partial/surface (%)"] == "46.2, 51.3 (2 of 3 seeds)"
    assert "48.7" not in section(text, "Main results", "NYT11, part 1")
    for title in ("Main results", "Inference efficiency", "Convergence", "Slices"):
        for table in tables(section(text, title, "NYT11, part 1")):
            for row in table[2:]:
                if row[0] == "CasRel" and "2 of 3" in row[1]:
                    assert not any("±" in cell for cell in row), f"a mean over two seeds: {row}"


def test_one_seed_has_no_deviation(text: str) -> None:
    graphs = rows(section(text, "Main results", "NYT11, part 2"), "F1, partial/surface (%)")[0]
    assert graphs["Seeds"] == "n=1"
    assert graphs["F1, partial/surface (%)"] == "52.6"


def test_a_cell_that_could_not_be_measured_says_why(text: str) -> None:
    stages = rows(section(text, "Inference efficiency", "WebNLG*"), "forward (ms per sentence)")
    (cell,) = [r for r in stages if (r["Batch"], r["System"]) == ("128", "CasRel")]
    assert cell["forward (ms per sentence)"] == cell["peak memory (MiB)"] == "out of memory"
    ratio = rows(section(text, "Inference efficiency", "WebNLG*"), "ms per sentence at batch 128")[
        0
    ]
    assert ratio["ms per sentence at batch 128"] == "CasRel: out of memory"
    assert ratio["ms per sentence at batch 1"] == "11.50"
    assert ratio["parameters without word vectors"] == "15.32"  # 16,850,000 / 1,100,000
    targets = rows(section(text, "Convergence", "WebNLG*"), "to dev F1 90 % (s)")[0]
    assert targets["to dev F1 90 % (s)"] == "not reached"
    assert targets["to dev F1 30 % (s)"] == "60.0 ± 0.0"


def test_protocols_share_no_table(text: str) -> None:
    for title in ("Main results", "Inference efficiency", "Convergence"):
        for table in tables(section(text, title)):
            names = {row[table[0].index("System")] for row in table[2:] if "System" in table[0]}
            assert not ({"Graphs"} < names), f"Graphs ran under another protocol: {table}"
    assert "batch_size: `16` instead of `32`" in section(text, "Main results", "NYT11, part 2")


def test_csv_by_hand(reported: Path) -> None:
    frame = pd.read_csv(reported / "results.csv")
    assert len(frame) == 15
    run = frame.set_index(["system", "dataset", "seed"]).loc[("casrel", "nyt11", 1)]
    assert run["test_partial_f1"] == pytest.approx(200 / 390)
    assert run["test_exact_correct"] == 80
    assert run["training_seconds"] == 2880
    assert run["inference_batch8_forward_ms_p95"] == pytest.approx(4 * 12 * 0.7 * 1.5)
    broken = frame.set_index(["system", "dataset", "seed"]).loc[("casrel", "nyt11", 2)]
    assert broken["status"] == "diverged"
    assert broken["failure"] == "the loss is NaN at step 412"
    assert pd.isna(broken["test_partial_f1"])
    memory = frame.set_index(["system", "dataset", "seed"]).loc[("casrel", "webnlg-star", 0)]
    assert memory["inference_batch128_failure"] == "out of memory"
    assert pd.isna(memory["inference_batch128_total_seconds"])
    assert frame.groupby("table")["protocol"].nunique().max() == 1
    assert frame.groupby("table")["sha256_train"].nunique().max() == 1


def test_warnings_come_first_and_name_everything(text: str) -> None:
    assert text.index("## 1. The answer") < text.index("## 2. What to know first")
    warnings = section(text, "What to know first")
    for expected in (
        "**diverged**: CasRel, NYT11, seed 2: the loss is NaN at step 412.",
        "**no record**: graphs on nyt11, seed 1 and 2",
        "**not measured**: CasRel on WebNLG*, inference at batch 128: out of memory "
        "(seed 0, 1 and 2)",
        "**not run**: graphs on synthetic: it needs a parser.",
        "NYT11, part 1: train and dev not the published split",
        "Fewer than 3 complete seeds",
        "Other work competed during 3 of 15 runs",
        "FastRE, NYT11, seed 0 (3.5)",
        "minilm-static.300d.txt.gz (55,357 words)",
        "all-MiniLM-L6-v2",
        "0123abc+changes",
    ):
        assert expected in warnings
    assert "WebNLG*: " not in warnings.replace("CasRel on WebNLG*: ", ""), (
        "its splits are published"
    )


def test_published_figures_stand_only_beside_published_data(text: str) -> None:
    assert "F1 published" not in section(text, "Main results", "NYT11, part 1")
    assert "train is not the published split (12,496 examples here, 62,648 published)" in section(
        text, "Main results", "NYT11, part 1"
    )
    (beside,) = rows(section(text, "Main results", "WebNLG*"), "F1 published, partial (%)")
    # Correct 170, 171, 172 of 185 predicted and 200 gold: 88.31, 88.83, 89.35.
    assert beside["System"] == "CasRel"
    assert beside["F1 here, partial (%)"] == "88.8 ± 0.5"
    assert beside["F1 published, partial (%)"] == "91.8"
    assert beside["Difference"] == "-3.0"
    assert (beside["Encoder there"], beside["Encoder here"]) == (
        "bert-base-cased",
        "all-MiniLM-L6-v2",
    )
    (test,) = rows(section(text, "Differences", "WebNLG*"), "Published")
    # s = 0.5195, so t = -2.969 / (0.5195 / sqrt(3)) = -9.90 with two degrees of freedom.
    assert test["p"] == "0.010"
    assert test["95 % interval"] == "-4.3 to -1.7"
    assert "53.9" not in section(text, "Differences", "NYT11, part 1")


def test_bootstrap_is_over_the_seeds_that_both_have(text: str) -> None:
    (pair,) = rows(section(text, "Differences", "NYT11, part 1"), "Systems")
    assert pair["Seeds"] == "n=2 (0 and 1)"
    # 420/770 minus 380/780.
    assert pair["Difference in F1 (points)"] == "+5.8"


def test_synthetic_data_is_named_wherever_it_stands(text: str) -> None:
    for title in SECTIONS:
        for heading in re.findall(r"^### .*Toy.*$", section(text, title), re.MULTILINE):
            assert "(synthetic data)" in heading
    for title in ("Main results", "Inference efficiency", "Convergence", "Slices", "Differences"):
        assert "**synthetic data**" in section(text, title, "Toy (synthetic data)")


def test_notes_stand_with_every_table_of_a_dataset(text: str) -> None:
    for title in (
        "Main results",
        "Inference efficiency",
        "Convergence",
        "Slices",
        "Differences",
        "Data",
    ):
        assert "A note on webnlg-star." in section(text, title, "WebNLG*")


def test_seen_share_stands_beside_the_published_one(text: str) -> None:
    assert "50.00 % here, 41.62 % in Li et al." in section(text, "Data", "NYT11, part 1")


def test_what_was_met_no_times_is_zero_and_what_was_not_counted_is_not(text: str) -> None:
    counted = {
        row["Measure"]: row for row in rows(section(text, "Data", "NYT11, part 1"), "Measure")
    }
    assert counted["problems: not found"]["dev"] == "0"
    assert counted["problems: leaked"] == {
        "Measure": "problems: leaked",
        "train": "0",
        "dev": "0",
        "test": "2",
    }
    assert counted["words"]["test"] == "-"


def test_protocol_settings_and_sources_are_printed(text: str) -> None:
    background = section(text, "Protocol, environment, systems and sources")
    assert PROTOCOL.digest() in background
    assert "run-suite --dataset nyt11 --suite-name 'two words'" in background
    assert "Spans by first occurrence | as the public code." in background
    assert "| NYT11 | Citation of nyt11 | CC0 |" in background
    assert "vectors for 98.7 % of the training tokens" in background


def test_every_section_is_there(text: str) -> None:
    for title in SECTIONS:
        assert section(text, title).count("\n") > 2, f"section {title} is empty"


def test_tables_are_well_formed(text: str) -> None:
    found = tables(text)
    assert len(found) > 40
    for table in found:
        widths = {len(row) for row in table}
        assert len(widths) == 1, f"rows of {widths} cells in the table of {table[0]}"
        assert all(re.fullmatch(r"-{3}:?", rule) for rule in table[1])
        assert len(table) > 2, f"a table without rows: {table[0]}"
        assert all(cell for row in table for cell in row), f"an empty cell in {table[0]}"
        assert not any("nan" in cell.lower().split() for row in table for cell in row)


def test_images_exist_and_none_is_left_over(reported: Path, text: str) -> None:
    named = set(re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text))
    drawn = {f"figures/{path.name}" for path in (reported / "figures").glob("*.png")}
    assert named == drawn
    assert len(named) >= 14
    for path in named:
        assert (reported / path).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_neither_torch_nor_transformers_is_loaded(tmp_path: Path) -> None:
    out = tmp_path / "out"
    plan(datasets=("synthetic",), systems=("fastre",), seeds=(0,)).write(out)
    write_run(out, record("fastre", "synthetic", 0), [])
    code = (
        "import sys, pathlib\n"
        "from reports.report import write_report\n"
        "write_report(pathlib.Path(sys.argv[1]))\n"
        "print([m for m in ('torch', 'transformers', 'wandb') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(out)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_an_empty_folder_is_answered_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"no suite\.json") as caught:
        write_report(tmp_path)
    assert caught.value.remedy
    assert str(tmp_path) in str(caught.value)
    plan().write(tmp_path)
    with pytest.raises(SuiteError, match="no record of a run") as caught:
        write_report(tmp_path)
    assert caught.value.remedy
    assert not (tmp_path / "report.md").exists()


@pytest.mark.parametrize(
    "broken", ["record.json", "history.jsonl", "predictions.jsonl", "suite.json"]
)
def test_a_broken_file_is_named_and_the_old_report_stays(tmp_path: Path, broken: str) -> None:
    plan(datasets=("synthetic",), systems=("fastre", "casrel"), seeds=(0,)).write(tmp_path)
    for system in ("fastre", "casrel"):
        folder = write_run(tmp_path, record(system, "synthetic", 0), [])
    (tmp_path / "report.md").write_text("old")
    path = tmp_path / broken if broken == "suite.json" else folder / broken
    path.write_text('{"format": 2, "epoch": 0}\n')
    with pytest.raises(SuiteError) as caught:
        write_report(tmp_path)
    assert str(path) in str(caught.value)
    assert caught.value.remedy
    assert (tmp_path / "report.md").read_text() == "old"
    assert not (tmp_path / "results.csv").exists()
    assert not (tmp_path / "figures").exists()


def test_a_folder_of_failures_is_reported(tmp_path: Path) -> None:
    plan(datasets=("synthetic",), systems=("fastre", "casrel"), seeds=(0,)).write(tmp_path)
    for system, status in (("fastre", "failed"), ("casrel", "out of memory")):
        bare = {"parameters": None, "training": None, "dev": None, "ceiling": {}}
        run = stopped(record(system, "synthetic", 0), status, "a | b\nand more")
        write_run(tmp_path, run.model_copy(update=bare), [])
    text = write_report(tmp_path).read_text()
    main = rows(section(text, "Main results"), "F1, partial/surface (%)")
    assert [row["F1, partial/surface (%)"] for row in main] == ["failed", "out of memory"]
    assert "**failed**: FastRE, Toy, seed 0: a | b and more." in section(text, "What to know first")
    assert not (tmp_path / "figures").exists()
    assert all(len({len(row) for row in table}) == 1 for table in tables(text))


def test_runs_without_predictions_are_not_compared(tmp_path: Path) -> None:
    plan(datasets=("synthetic",), systems=("fastre", "casrel"), seeds=(0,)).write(tmp_path)
    for system in ("fastre", "casrel"):
        folder = write_run(tmp_path, record(system, "synthetic", 0), [])
    (folder / "predictions.jsonl").unlink()
    text = write_report(tmp_path).read_text()
    assert "FastRE and CasRel are not compared: no seed of which both" in section(
        text, "Differences"
    )
    assert "No curves: no run left a history." in section(text, "Convergence")


def test_predictions_of_other_examples_are_not_compared(tmp_path: Path) -> None:
    plan(datasets=("synthetic",), systems=("fastre", "casrel"), seeds=(0,)).write(tmp_path)
    for system in ("fastre", "casrel"):
        folder = write_run(tmp_path, record(system, "synthetic", 0), [])
    lines = (folder / "predictions.jsonl").read_text().splitlines()
    other = AnsweredExample.model_validate_json(lines[0]).model_copy(update={"id": "another"})
    (folder / "predictions.jsonl").write_text("\n".join([other.model_dump_json(), *lines[1:]]))
    text = write_report(tmp_path).read_text()
    assert "do not cover the same test examples" in section(text, "Differences")


def test_figures_of_an_earlier_report_do_not_stay(tmp_path: Path) -> None:
    plan(datasets=("synthetic",), systems=("fastre",), seeds=(0,)).write(tmp_path)
    write_run(tmp_path, record("fastre", "synthetic", 0), [])
    (tmp_path / "figures").mkdir()
    (tmp_path / "tables").mkdir()
    old = ("figures/synthetic-1-convergence.svg", "tables/other-slices-seen.tex")
    own = ("figures/own.png", "tables/own.tex")
    for name in (*old, *own):
        (tmp_path / name).write_bytes(b"old")
    write_report(tmp_path)
    assert not any((tmp_path / name).exists() for name in old)
    new = ("figures/synthetic-slices.pdf", "tables/synthetic-slices-seen.tex")
    assert all((tmp_path / name).exists() for name in (*own, *new))


def test_a_report_is_the_same_when_made_again(reported: Path, text: str) -> None:
    loaded = load_results(reported)
    pictures = {path.stem: Picture(b"", b"", b"") for path in (reported / "figures").iterdir()}
    parts = sections(loaded, pictures, find_answers(loaded.groups))
    assert compose(loaded, parts) == text
